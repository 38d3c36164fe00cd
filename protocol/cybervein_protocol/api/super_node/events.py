"""Live events (`GET /v1/events`): the `data` of each kind, as JSON; `time` is unix seconds.

The hub that publishes an event sets `time`.
"""

from typing import ClassVar, Final

import msgspec
from msgspec import UNSET, UnsetType

from cybervein_protocol.api.document import Document
from cybervein_protocol.names import Veins


class EventDocument(Document, kw_only=True):
    """What all events have; `name` is the `event:` of the stream."""

    name: ClassVar[str]
    time: float = 0.0


class BlockEvent(EventDocument, kw_only=True):
    """A block was committed; `kinds` are those of its units."""

    name = "block"
    height: int
    epoch: int
    units: int
    voids: int
    kinds: list[str]
    app_hash: str


class EpochEvent(EventDocument, kw_only=True):
    """An epoch was closed; `beacon` is the next one's."""

    name = "epoch"
    epoch: int
    minted: Veins
    weight: int
    beacon: str


class ProofEvent(EventDocument, kw_only=True):
    """A space proof was judged, or is missing."""

    name = "proof"
    miner: str
    epoch: int
    outcome: str
    reason: str


class AuditEvent(EventDocument, kw_only=True):
    """A miner's shards were challenged."""

    name = "audit"
    miner: str
    epoch: int
    outcome: str
    challenged: int
    good: int
    damaged_shards: int


class BandwidthEvent(EventDocument, kw_only=True):
    """A miner's bandwidth was measured."""

    name = "bandwidth"
    miner: str
    epoch: int
    bytes_per_second: int


class DealEvent(EventDocument, kw_only=True):
    """A deal was opened, committed or closed; `what` is the unit's kind."""

    name = "deal"
    deal: str
    what: str
    owner: str


class RepairEvent(EventDocument, kw_only=True):
    """A shard was rebuilt, moved or given up; `deal` is the digest in its CID, hex."""

    name = "repair"
    shard: str
    deal: str
    segment: int
    index: int
    from_: str = msgspec.field(name="from")
    outcome: str
    to: str | UnsetType = UNSET
    reason: str | UnsetType = UNSET
    seconds: float | UnsetType = UNSET


class MinerEvent(EventDocument, kw_only=True):
    """A miner answers again, or no more."""

    name = "miner"
    miner: str
    online: bool
    reason: str


class BatchEvent(EventDocument, kw_only=True):
    """A batch's commit response was judged."""

    name = "batch"
    miner: str
    batch: str
    outcome: str
    reason: str


EVENTS: Final = {kind.name: kind for kind in EventDocument.__subclasses__()}
"""The document of each kind of event."""
