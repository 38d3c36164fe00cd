"""A miner's own word, as much of `GET /v1/status` as decisions need (docs/wire.md, section 5)."""

import msgspec

DRAINED = "drained"


class Remaining(msgspec.Struct, frozen=True):
    """What still keeps a leaving disk."""

    plots: int = 0
    shards: int = 0
    bytes: int = 0


class DiskReport(msgspec.Struct, frozen=True):
    """One disk."""

    id: str
    path: str
    state: str
    reason: str = ""
    leaving: bool = False
    capacity_bytes: int = 0
    free_bytes: int = 0
    plots: int = 0
    plot_bytes: int = 0
    shards: int = 0
    shard_bytes: int = 0
    remaining: Remaining = Remaining()

    @property
    def name(self) -> str:
        """What the pool's spec calls it: the last part of its mount point."""
        return self.path.rsplit("/", 1)[-1]


class DrainReport(msgspec.Struct, frozen=True):
    """How a drain goes."""

    final: bool = False
    plots_live: int | None = None
    remaining: int | None = None
    promised: int | None = None
    blocked_by: str = ""


class Report(msgspec.Struct, frozen=True):
    """The whole miner."""

    address: str
    version: str = ""
    url: str = ""
    registered: bool = False
    problem: str = ""
    epoch: int | None = None
    last_proved_epoch: int | None = None
    super_node_reachable: bool | None = None
    disks: tuple[DiskReport, ...] = ()
    draining: bool = False
    drained: bool = False
    held_shards: int | None = None
    drain: DrainReport = DrainReport()
    degraded: tuple[str, ...] = ()

    def disk(self, name: str) -> DiskReport | None:
        """The disk mounted under that name."""
        return next((each for each in self.disks if each.name == name), None)


class Poll(msgspec.Struct, frozen=True):
    """The last poll of a miner: when (monotonic s), its report or why there is none."""

    at: float
    report: Report | None
    error: str = ""
    failures: int = 0
