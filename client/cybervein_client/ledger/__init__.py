"""The client's view of the super node and its ledger: typed queries, and units that become final.

Duties: parse the super node's JSON at the border; sign units with the right parents, nonce and fee;
say whether a unit is final, void or unknown. Requirements: one `SignedClient`.
"""

from cybervein_client.ledger.payment import Payment, plan_payment
from cybervein_client.ledger.supernode import CustomersSuperNode, Holder, live_domains
from cybervein_client.ledger.units import UnitSender

__all__ = [
    "CustomersSuperNode",
    "Holder",
    "Payment",
    "UnitSender",
    "live_domains",
    "plan_payment",
]
