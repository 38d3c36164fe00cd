"""Deals, and where their shards are."""

from typing import Literal

from msgspec import UNSET, UnsetType

from cybervein_protocol.api.document import Document
from cybervein_protocol.names import Veins


class DealDocument(Document):
    """A deal; `degraded` shards wait for repair or are given up.

    `health` has the two words that 0.2.0 reads; it is of data that is held, which only an active
    deal has (`standing`). `refund` is what closing it now would give back; listings leave it out.
    """

    owner: str
    state: Literal["open", "active", "ended"]
    size: int
    segments: int
    k: int
    n: int
    epochs: int
    escrow: Veins
    spent: Veins
    refunded: Veins
    kib: int
    lost: int
    opened: int
    committed: int
    expires: int
    deal: str
    epochs_left: int
    health: Literal["good", "degraded"]
    degraded: int
    refund: Veins | UnsetType = UNSET

    @property
    def standing(self) -> Literal["good", "degraded", "none"]:
        """The health as people read it: before the commit and after the end there is none."""
        return self.health if self.state == "active" else "none"


class DealListing(Document):
    """Deals of an owner, or of everybody."""

    deals: list[DealDocument]


class ShardDocument(Document):
    """A shard and where it is; one that was given up has no miner."""

    deal: str
    segment: int
    index: int
    root: str
    size: int
    since: int
    lost: bool
    miner: str | None
    url: str | None


class ShardListing(Document):
    """Shards of a deal or of a root."""

    shards: list[ShardDocument]
