"""What a miner tells of its disks: those that it has, and paths that it refused."""

from collections import Counter
from dataclasses import dataclass

from cybervein_protocol.api.disk_state import DiskState
from cybervein_protocol.api.miner.disks import DiskDocument
from cybervein_protocol.errors import ForbiddenError

from cybervein_miner.disk.disk import Disk
from cybervein_miner.disk.fullness import FULL
from cybervein_miner.leaving.disks import NOTHING_REMAINS, Leaving
from cybervein_miner.plot.inventory import Inventory
from cybervein_miner.plot.plotter import Plotter
from cybervein_miner.shard.index import ShardIndex, Totals
from cybervein_miner.shard.trash import Trash

_FINE = {DiskState.READY, DiskState.DRAINED}


@dataclass(kw_only=True, eq=False)
class DiskBoard:
    """Builds the documents of disks from the parts."""

    inventory: Inventory
    index: ShardIndex
    leaving: Leaving
    plotter: Plotter
    trash: Trash

    def listing(self) -> list[DiskDocument]:
        """Every disk, then every path that was refused."""
        plots = Counter(row.disk for row in self.inventory.rows())
        disks = self.inventory.rack.disks
        return [*(self._document(disk, plots[disk.id]) for disk in disks), *self.refused()]

    def one(self, disk: Disk) -> DiskDocument:
        """One disk."""
        return self._document(disk, sum(row.disk == disk.id for row in self.inventory.rows()))

    def refused(self) -> list[DiskDocument]:
        """Paths that were given and are no disk of this miner: listed without an id."""
        return [
            DiskDocument(
                id="",
                path=str(path),
                state=DiskState.FOREIGN if isinstance(error, ForbiddenError) else DiskState.MISSING,
                reason=str(error),
                leaving=False,
                placeable=False,
                io_errors=0,
                capacity_bytes=0,
                free_bytes=0,
                floor_bytes=0,
                available_bytes=0,
                plots=0,
                plot_bytes=0,
                shards=0,
                shard_bytes=0,
                shards_bad=0,
                remaining=NOTHING_REMAINS,
            )
            for path, error in self.inventory.rack.refused.items()
        ]

    def away(self) -> Totals:
        """What lies on disks that cannot be read now, but on those that nobody needs any more."""
        disks = [d for d in self.inventory.rack.disks if not (d.readable or d.drained)]
        each = [self.index.totals(disk.id) for disk in disks]
        return Totals(sum(t.shards for t in each), sum(t.bytes for t in each), 0, 0, 0, 0)

    def free_bytes(self) -> int:
        """Bytes that new shards may take: trash goes at once where its space is wanted."""
        disks = [disk for disk in self.inventory.rack.disks if disk.placeable]
        return sum(disk.available(self.trash.removable_bytes(disk.id)) for disk in disks)

    def bad(self) -> list[str]:
        """One line for each disk that cannot be used as it should."""
        disks = [disk for disk in self.inventory.rack.disks if disk.state not in _FINE]
        known = [f"disk {disk.path}: {disk.state.value} ({disk.reason})" for disk in disks]
        full = [disk for disk in self.inventory.rack.disks if disk.no_room not in {"", FULL}]
        known += [f"disk {disk.path}: takes nothing more ({disk.no_room})" for disk in full]
        known += [f"disk {disk.path}: late ({disk.lateness})" for disk in self._late()]
        known += filter(None, map(self._stuck, self.inventory.rack.disks))
        return known + [f"disk {each.path}: {each.reason}" for each in self.refused()]

    def _late(self) -> list[Disk]:
        return [disk for disk in self.inventory.rack.disks if disk.lateness]

    def _stuck(self, disk: Disk) -> str:
        """What of its trash stays, in words; "" where all can be removed."""
        stuck = self.trash.stuck.on(disk.id)
        if not stuck.shards:
            return ""
        what = f"{stuck.shards} deleted shards ({stuck.bytes} bytes) cannot be removed"
        return f"disk {disk.path}: {what}; see the log, and what is in {disk.folder('trash')}"

    def _document(self, disk: Disk, plots: int) -> DiskDocument:
        space, totals = disk.space(), self.index.totals(disk.id)
        stuck = self.trash.stuck.on(disk.id)
        return DiskDocument(
            id=disk.id,
            path=str(disk.path),
            state=disk.state,
            reason=disk.reason or self._remark(disk, plots),
            leaving=disk.leaving,
            placeable=disk.placeable,
            io_errors=disk.io_errors,
            capacity_bytes=space.capacity,
            free_bytes=space.free,
            floor_bytes=space.floor,
            available_bytes=disk.available(),
            plots=plots,
            plot_bytes=plots * self.inventory.shape.plot_bytes,
            shards=totals.shards,
            shard_bytes=totals.bytes,
            shards_bad=totals.bad,
            remaining=self.leaving.remaining(disk),
            late=disk.lateness,
            no_room=disk.no_room,
            trash=totals.trash,
            trash_bytes=totals.trash_bytes,
            files_set_aside=len(disk.failures.given_up),
            trash_stuck=stuck.shards,
            trash_stuck_bytes=stuck.bytes,
        )

    def _trouble(self, disk: Disk) -> str:
        if disk.lateness:
            return f"late: {disk.lateness}"
        if over := disk.exceeded:
            return (
                f"takes nothing more: {over.used} bytes are on it, {over.size} are allowed; raise "
                "the limit (a claim's size), or drain the disk"
            )
        if disk.no_room not in {"", FULL}:
            return f"takes nothing more: {disk.no_room}"
        if disk.leaving and self.leaving.blocked_by:
            return self.leaving.blocked_by
        lost = len(disk.failures.given_up)
        return f"{lost} files cannot be read and are set aside; the rest can" if lost else ""

    def _remark(self, disk: Disk, plots: int) -> str:
        """What a person may want to know of a disk that can be used."""
        if trouble := self._trouble(disk):
            return trouble
        if disk.path != disk.home:
            return f"given as {disk.home}; its marker was found here"
        if beside := ", ".join(str(other.path) for other in disk.beside()):
            return f"shares its filesystem with {beside}: each has its part, counted once"
        return self.plotter.why_no_plot(disk, plots)
