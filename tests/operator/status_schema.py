"""The status that docs/wire.md promises: every field, and nothing that a miner does not say."""

from typing import Any

import msgspec


class _Remaining(msgspec.Struct, forbid_unknown_fields=True):
    plots: int
    shards: int
    bytes: int


class _Disk(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    path: str
    state: str
    reason: str
    leaving: bool
    placeable: bool
    io_errors: int
    capacity_bytes: int
    free_bytes: int
    floor_bytes: int
    available_bytes: int
    plots: int
    plot_bytes: int
    shards: int
    shard_bytes: int
    shards_bad: int
    remaining: _Remaining


class _Drain(msgspec.Struct, forbid_unknown_fields=True):
    final: bool
    plots_live: int | None
    remaining: int | None
    blocked_by: str


class _Status(msgspec.Struct, forbid_unknown_fields=True):
    v: int
    address: str
    version: str
    network: str
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
    disks: list[_Disk]
    free_bytes: int
    shards: int
    shard_bytes: int
    shards_bad: int
    shards_lost: int
    shards_trash: int
    held_shards: int | None
    draining: bool
    drained: bool
    drain: _Drain
    degraded: list[str]
    bandwidth_cap_bytes_per_second: int | None
    plots: int
    plots_by_state: dict[str, int]
    plots_wanted: int
    plot_size_bytes: int
    plot_bytes: int
    plotting: int
    plotting_now: list[dict[str, Any]]
    proofs: dict[str, Any]
    counters: dict[str, Any]
    nic: dict[str, Any]


def check_status(document: dict[str, Any]) -> None:
    """Raise ValidationError for a status that a miner would not say."""
    msgspec.convert(document, _Status)
