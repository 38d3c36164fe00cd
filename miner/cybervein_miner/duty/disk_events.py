"""One event for each change of a disk: what happened, what it costs a day, and what to do.

Whoever meets a disk that is away (a proof, an upload, an audit) changes its state and says nothing;
here states are compared, so that a thousand plots on a disk are one line and not a thousand.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import structlog
from cybervein_protocol.api.disk_state import DiskState
from cybervein_protocol.presets import Preset

from cybervein_miner.chain.earnings import earned_per_day, in_coins
from cybervein_miner.chain.standing import Standing
from cybervein_miner.disk.disk import Disk
from cybervein_miner.plot.inventory import Inventory, PlotState
from cybervein_miner.shard.index import ShardIndex

NEXT_STEP: Final = {
    DiskState.MISSING: "plug it in or mount it, anywhere; it is taken back within seconds",
    DiskState.FOREIGN: "mount the right disk; it is taken back within seconds",
    DiskState.QUARANTINED: "check cable and disk; it comes back when it is well, "
    "at once with `cybervein disk add` and its path",
    DiskState.READ_ONLY: "look at the kernel's log and remount it; meanwhile it serves and proves",
}
STOP_THAT: Final = "stop that process, or give each its own disks; it is taken within seconds"
_log = structlog.get_logger()


class DiskChange(StrEnum):
    """What may be said of a disk."""

    AWAY = "away"
    BACK = "back"
    OTHER = "other"
    FOUND = "found"


@dataclass(frozen=True, slots=True)
class DiskNow:
    """What was last said of a disk."""

    path: str
    state: DiskState
    readable: bool

    @classmethod
    def of(cls, disk: Disk) -> "DiskNow":
        """As it is now."""
        return cls(
            str(disk.path), disk.state, disk.there
        )  # one that is late is told by `disk.late`


def change_of(was: DiskNow, now: DiskNow) -> DiskChange | None:
    """What is to be said of a disk, if anything."""
    if DiskState.DRAINED in {was.state, now.state}:
        return None  # a person asked for it and was answered
    if was.readable != now.readable:
        return DiskChange.BACK if now.readable else DiskChange.AWAY
    if was.state is not now.state:  # mounted read-only, or no longer
        return DiskChange.BACK if now.state is DiskState.READY else DiskChange.OTHER
    return DiskChange.FOUND if was.path != now.path else None


@dataclass(kw_only=True, eq=False)
class DiskEvents:
    """Compares with what was said before; `look` says what is new."""

    inventory: Inventory
    index: ShardIndex
    standing: Standing
    preset: Preset
    _seen: Mapping[str, DiskNow] = field(default_factory=dict)

    def look(self) -> None:
        """One line for each disk that changed, and one when the last went or the first came."""
        disks = self.inventory.rack.disks
        now = {disk.id: DiskNow.of(disk) for disk in disks}
        before, self._seen = self._seen, now
        for disk in disks:
            # one that works where it was given is no event at the start
            usual = DiskNow(str(disk.home), DiskState.READY, readable=True)
            if change := change_of(before.get(disk.id, usual), now[disk.id]):
                self._tell(change, disk)
        self._tell_of_all(list(before.values()), list(now.values()))

    def gave_way(self, disk_id: str, plots: list[int]) -> None:
        """Say which plots go and to whom: a disk without shards is filled by somebody else."""
        disk, held = self.inventory.rack.get(disk_id), self.index.totals(disk_id)
        facts = {"path": str(disk.path), "plots": plots, "shards": held.shards}
        if held.shards:
            _log.info("plots give way to shards", **facts, shard_bytes=held.bytes)
        else:
            _log.warning(
                "plots give way: the disk fills up, though it holds no shard",
                **facts,
                free_bytes=disk.space().free,
                next_step="see what else grows on this filesystem",
            )

    @staticmethod
    def _tell_of_all(before: Sequence[DiskNow], now: Sequence[DiskNow]) -> None:
        some_before = not before or any(each.readable for each in before)
        some_now = not now or any(each.readable for each in now)
        if some_before and not some_now:
            _log.error(
                "all disks are away: nothing is proved, served or taken until one is back",
                disks=len(now),
                next_step="see each disk's line",
            )
        elif now and some_now and not some_before:
            _log.warning(
                "not all disks are away any more", readable=sum(each.readable for each in now)
            )

    def _tell(self, change: DiskChange, disk: Disk) -> None:
        facts = self._facts(disk)
        held = disk.state is DiskState.QUARANTINED and disk.lock.elsewhere
        step = STOP_THAT if held else NEXT_STEP.get(disk.state, "nothing")
        trouble = {"reason": disk.reason, "next_step": step}
        given = {} if disk.path == disk.home else {"given_as": str(disk.home)}
        if change is DiskChange.AWAY:
            loss = self._loss(disk)
            _log.error(
                "disk is away; the others keep working", **facts, loss_per_day=loss, **trouble
            )
        elif change is DiskChange.OTHER:
            _log.error("disk changed", **facts, **trouble)
        elif change is DiskChange.BACK:
            _log.warning("disk is back", **facts, **given)
        else:
            _log.warning("disk was found at another place; nothing else changes", **facts, **given)

    def _facts(self, disk: Disk) -> dict[str, str | int]:
        return {
            "path": str(disk.path),
            "disk": disk.id,
            "state": disk.state.value,
            "plots": sum(row.disk == disk.id for row in self.inventory.rows()),
            "shards": self.index.totals(disk.id).shards,
        }

    def _loss(self, disk: Disk) -> str:
        """What the disk's part of plots and shards earned, by the ledger's last closed epochs."""
        earned = earned_per_day(self.standing.paid.past, self.preset)
        if earned is None:
            return "unknown: the ledger has no closed epoch of this miner yet"
        active = [row.disk == disk.id for row in self.inventory.rows(PlotState.ACTIVE)]
        held, all_held = self.index.totals(disk.id).bytes, self.index.totals().bytes
        lost = earned.part(sum(active) / max(1, len(active)), held / max(1, all_held))
        return f"about {in_coins(lost, self.preset)} coins"
