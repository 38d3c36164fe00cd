"""All that a miner tells about itself in public: no secret, no shard's name."""

from typing import Final, Literal

from msgspec import UNSET, UnsetType

from cybervein_protocol.api.document import Count, Document
from cybervein_protocol.api.miner.disks import DiskDocument
from cybervein_protocol.api.miner.drain import DrainProgress

STATUS_BYTES_MAX: Final = 4 << 20
"""A reader accepts no longer one: it has room for a thousand disks."""


class PlotInTheMaking(Document):
    """A plot on its way: 0 to 1."""

    plot: Count
    disk: str
    share: float


class ProofsDocument(Document):
    """Space proofs; counts since the start."""

    counting: Count
    last_accepted_epoch: Count | None
    last_seconds: float | None
    accepted: Count
    refused: Count
    missed: Count


class NicDocument(Document):
    """Bytes of this machine's interfaces since they came up."""

    received_bytes: Count
    sent_bytes: Count


class ReachDocument(Document):
    """Whether the super node reaches this miner, in its own words; null: it has not tried yet.

    `url` is the address that it tried, `reason` why nothing answered there.
    """

    reached: bool | None
    url: str
    reason: str


class LedgerDocument(Document):
    """What the ledger has of this miner, as it was last heard; amounts are veins.

    `per_day` is what `per_day_epochs` closed epochs paid, in a day: null before the first.
    """

    url: str
    group: str
    owner: str
    payout: str
    registered_epoch: Count
    plots_active: Count
    plots_pending: Count
    space_bytes: Count
    bytes_per_second: Count
    bonded: Count
    bond_due: Count
    rewards: Count
    fees: Count
    penalties: Count
    per_day: Count | None
    per_day_epochs: Count
    coin_decimals: Count


class StatusDocument(Document):
    """Answer to `GET /v1/status`.

    `url`, `group`, `owner` and `payout` are what this miner wants, `ledger` is what the ledger has:
    null before the registration. `instance` names this process, anew at each start. A
    journal that was made anew does not know what orders had used that run until the epoch
    `orders_unknown_until`. Version 0.2.0
    does not send the fields with a default.
    """

    v: Literal[1]
    address: str
    network: str
    version: str
    url: str
    group: str
    owner: str
    payout: str
    registered: bool
    problem: str
    uptime_seconds: float
    clock_skew_seconds: float
    epoch: Count
    last_proved_epoch: Count | None
    super_node_reachable: bool | None
    disks: list[DiskDocument]
    free_bytes: Count
    shards: Count
    shard_bytes: Count
    shards_bad: Count
    shards_lost: Count
    shards_trash: Count
    held_shards: Count | None
    draining: bool
    drained: bool
    drain: DrainProgress
    degraded: list[str]
    bandwidth_cap_bytes_per_second: Count | None
    plots: Count
    plots_by_state: dict[str, Count]
    plots_wanted: Count
    plot_size_bytes: Count
    plot_bytes: Count
    plotting: Count
    plotting_now: list[PlotInTheMaking]
    proofs: ProofsDocument
    counters: dict[str, Count]
    nic: NicDocument
    ledger: LedgerDocument | UnsetType | None = UNSET
    reach: ReachDocument | UnsetType = UNSET
    plotting_left_seconds: float | UnsetType | None = UNSET
    shards_away: Count = 0
    instance: str = ""
    orders_unknown_until: Count | UnsetType | None = UNSET
