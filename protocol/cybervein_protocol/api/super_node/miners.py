"""Miners as ledger and super node know them."""

from typing import Final, Literal

from msgspec import UNSET, UnsetType

from cybervein_protocol.api.document import Document
from cybervein_protocol.api.super_node.epochs import PastContribution
from cybervein_protocol.names import Veins

NOT_ASKED: Final = "not asked yet"
"""`unreachable` of a miner that its super node has not tried since its own start."""


class AuditCounts(Document):
    """A miner's audits by outcome, since its registration."""

    passed: int
    wrong: int
    timeout: int
    verifier: int


class DrainOutlook(Document):
    """Shards that still have to move, and why none does ("" while they do).

    `promised` are shards of open deals that orders named this miner for; the listing omits it.
    """

    remaining: int
    blocked_by: str
    promised: int | UnsetType = UNSET


class MinerDocument(Document):
    """A miner's standing. `online` to `unreachable` are what this super node saw last.

    It was asked at `asked_url` from `asked` (unix seconds) on; version 0.2.0 sends neither.
    """

    address: str
    url: str
    group: str
    owner: str
    payout: str
    registered_epoch: int
    plots: int
    plots_pending: int
    plots_active: int
    space_estimates: list[int]
    space_bytes: int
    bytes_per_second: int
    weight: int
    held_kib: int
    held_shards: int
    draining: bool
    bonded: Veins
    bond_due: Veins
    rewards: Veins
    fees: Veins
    penalties: Veins
    proofs: int
    last_proof_epoch: int | None
    last_bandwidth_epoch: int | None
    audits: AuditCounts
    last_audit: str
    last_audit_epoch: int | None
    chunks_challenged: int
    chunks_good: int
    online: bool
    free_bytes: int
    last_seen: float
    unreachable: str
    drain: DrainOutlook
    asked: float | UnsetType = UNSET
    asked_url: str | UnsetType = UNSET


class ListedMiner(MinerDocument, kw_only=True):
    """A miner in the listing; `weight_share` is parts per million."""

    weight_share: int


class MinerListing(Document):
    """A page of miners by key: `next` is the `after` of the following one, null at the end."""

    miners: list[ListedMiner]
    total: int
    next: str | None


class BatchDocument(Document):
    """A batch of plots; `live` ones are neither retired nor void."""

    batch: str
    state: Literal["pending", "active", "void"]
    registered: int
    counts_from: int
    plots: int
    live: int
    reason: str


class InstanceDocument(Document):
    """A process that named itself under a miner's key, and when it did so last (unix seconds)."""

    name: str
    heard: float


class InstancesDocument(Document):
    """Answer to a process that named itself: all that did so of late."""

    v: Literal[1]
    instances: list[InstanceDocument]


class FullMinerDocument(MinerDocument, kw_only=True):
    """A miner with its batches and its last closed epochs, newest first.

    `instance` is the process that answered at `asked_url` ("" for none, or one that tells no name),
    `instances` are those that named themselves; version 0.2.0 sends neither.
    """

    batches: list[BatchDocument]
    epochs: list[PastContribution]
    instance: str | UnsetType = UNSET
    instances: list[InstanceDocument] | UnsetType = UNSET


class ReleaseDocument(Document):
    """Answer to a request for relief: roots that the ledger still has at this miner."""

    v: Literal[1]
    shards: list[str]
    blocked_by: str
