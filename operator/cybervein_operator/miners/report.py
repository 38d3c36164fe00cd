"""A miner's own word: as much of its status as decisions and statuses of ours show.

What changes from poll to poll and nobody here looks at (uptime, counters) is left out: a report
that differs is news, and news wakes the reconcilers of a thousand miners.
"""

from dataclasses import dataclass

from cybervein_protocol.api.miner.disks import DiskDocument
from cybervein_protocol.api.miner.drain import DrainProgress
from cybervein_protocol.api.miner.status import LedgerDocument, StatusDocument
from cybervein_protocol.api.super_node.miners import ListedMiner


@dataclass(frozen=True, slots=True)
class Declared:
    """What a miner declares to the network, as the spec, the miner or the ledger has it."""

    url: str
    payout: str
    group: str
    owner: str


def declared(of: ListedMiner | LedgerDocument | StatusDocument) -> Declared:
    """What that document says."""
    return Declared(of.url, of.payout, of.group, of.owner)


@dataclass(frozen=True, slots=True)
class Report:
    """The whole miner.

    `wish` is what it wants the ledger to have, `ledger` what it has: None before the registration,
    and where the miner is of version 0.2.0, which does not tell.
    """

    address: str
    problem: str
    epoch: int
    last_proved_epoch: int | None
    disks: tuple[DiskDocument, ...]
    draining: bool
    drained: bool
    held_shards: int | None
    drain: DrainProgress
    degraded: tuple[str, ...]
    wish: Declared
    ledger: Declared | None

    def disk(self, name: str) -> DiskDocument | None:
        """The disk mounted under that name."""
        return next((each for each in self.disks if name_of(each) == name), None)

    @property
    def empties(self) -> bool:
        """Whether a disk is being emptied."""
        return any(each.leaving for each in self.disks)

    def held(self) -> tuple[object, ...]:
        """What it has, in counts: how far plots, shards and drains are."""
        disks = ((each.id, each.state, each.plots, each.shards) for each in self.disks)
        return self.draining, self.held_shards, *disks


def report_of(status: StatusDocument) -> Report:
    """What we keep of a status."""
    return Report(
        address=status.address,
        problem=status.problem,
        epoch=status.epoch,
        last_proved_epoch=status.last_proved_epoch,
        disks=tuple(status.disks),
        draining=status.draining,
        drained=status.drained,
        held_shards=status.held_shards,
        drain=status.drain,
        degraded=tuple(status.degraded),
        wish=declared(status),
        ledger=declared(status.ledger) if isinstance(status.ledger, LedgerDocument) else None,
    )


def name_of(disk: DiskDocument) -> str:
    """What the pool's spec calls a disk: the last part of its mount point."""
    return disk.path.rsplit("/", 1)[-1]


@dataclass(frozen=True, slots=True)
class Poll:
    """The last poll of a miner: when (monotonic s), its report or why there is none."""

    at: float
    report: Report | None
    error: str = ""
    failures: int = 0
