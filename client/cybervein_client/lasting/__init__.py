"""How long files stay: when their deals end, renewals, files that are kept, warnings in time.

Duties: hold the catalogue's ends true to the ledger; refuse what a renewal cannot do before a fee
is paid; renew kept files while the wallet can pay. Requirements: catalogue, super node, units.
"""

from cybervein_client.lasting.ended import ended_text, explained, require_alive
from cybervein_client.lasting.ends import EndWatch, FileLife
from cybervein_client.lasting.keeper import FileKeeper, KeptFile
from cybervein_client.lasting.outlook import Outlook, Shortfall, next_price, outlook
from cybervein_client.lasting.renewal import RenewalPlan, Renewer

__all__ = [
    "EndWatch",
    "FileKeeper",
    "FileLife",
    "KeptFile",
    "Outlook",
    "RenewalPlan",
    "Renewer",
    "Shortfall",
    "ended_text",
    "explained",
    "next_price",
    "outlook",
    "require_alive",
]
