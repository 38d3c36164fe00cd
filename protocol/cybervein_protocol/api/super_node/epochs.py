"""Closed epochs: what was settled."""

from cybervein_protocol.api.document import Document
from cybervein_protocol.names import Veins


class ContributionDocument(Document):
    """One miner in a closed epoch."""

    miner: str
    payout: str
    estimate: int
    space_bytes: int
    bandwidth: int
    weight: int
    reward: Veins
    bond_filled: Veins
    held_kib: int
    fees: Veins
    audit: str


class PastContribution(ContributionDocument):
    """A miner's contribution with its epoch."""

    epoch: int


class EpochDocument(Document):
    """A closed epoch; `audits` counts miners by outcome."""

    epoch: int
    beacon: str
    next_beacon: str
    weight: int
    minted: Veins
    fees: Veins
    miners: int
    proofs: int
    audits: dict[str, int]


class FullEpochDocument(EpochDocument):
    """A closed epoch with every contribution."""

    contributions: list[ContributionDocument]


class EpochListing(Document):
    """Closed epochs, newest first; `open` is the current one."""

    open: int
    epochs: list[EpochDocument]
