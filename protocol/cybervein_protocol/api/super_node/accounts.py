"""Accounts."""

from cybervein_protocol.api.document import Document
from cybervein_protocol.names import Veins


class AccountDocument(Document):
    """An account with its next nonce and, for a miner, its bond; an unknown one is all zeros."""

    address: str
    balance: Veins
    nonce: int
    bonded: Veins
    bond_due: Veins
