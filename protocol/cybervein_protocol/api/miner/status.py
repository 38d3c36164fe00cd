"""All that a miner tells about itself in public: no secret, no shard's name."""

from typing import Literal

from cybervein_protocol.api.document import Document
from cybervein_protocol.api.miner.disks import DiskDocument
from cybervein_protocol.api.miner.drain import DrainProgress


class PlotInTheMaking(Document):
    """A plot on its way: 0 to 1."""

    plot: int
    disk: str
    share: float


class ProofsDocument(Document):
    """Space proofs; counts since the start."""

    counting: int
    last_accepted_epoch: int | None
    last_seconds: float | None
    accepted: int
    refused: int
    missed: int


class NicDocument(Document):
    """Bytes of this machine's interfaces since they came up."""

    received_bytes: int
    sent_bytes: int


class StatusDocument(Document):
    """Answer to `GET /v1/status`."""

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
    epoch: int
    last_proved_epoch: int | None
    super_node_reachable: bool | None
    disks: list[DiskDocument]
    free_bytes: int
    shards: int
    shard_bytes: int
    shards_bad: int
    shards_lost: int
    shards_trash: int
    held_shards: int | None
    draining: bool
    drained: bool
    drain: DrainProgress
    degraded: list[str]
    bandwidth_cap_bytes_per_second: int | None
    plots: int
    plots_by_state: dict[str, int]
    plots_wanted: int
    plot_size_bytes: int
    plot_bytes: int
    plotting: int
    plotting_now: list[PlotInTheMaking]
    proofs: ProofsDocument
    counters: dict[str, int]
    nic: NicDocument
