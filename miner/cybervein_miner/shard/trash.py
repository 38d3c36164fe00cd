"""Throwing away slowly: deleted shards wait for a grace period, and go sooner where space is short.

The index is written first and files follow, so files are what may be out of step (`tidy`).
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from itertools import islice

import structlog
from cybervein_protocol.api.disk_state import DiskState
from cybervein_protocol.errors import StorageError

from cybervein_miner.disk.disk import Disk
from cybervein_miner.disk.rack import Rack
from cybervein_miner.disk.threads import Lanes
from cybervein_miner.record.journal import Journal
from cybervein_miner.record.tree_file import outboard_path
from cybervein_miner.shard.index import (
    HeldShard,
    ShardIndex,
    ShardState,
    drop_trash,
    restamp_trash,
)
from cybervein_miner.shard.layout import shard_path, trash_path
from cybervein_miner.shard.stuck import StuckTrash, TrashSum

_PURGE_MAX = 1000
"""Tries in one go: the rest is for the next."""
_PAGE = 1000
_EVER = 1 << 62
PURGE_SECONDS_MAX = 20.0
_log = structlog.get_logger()


class Trash:
    """Deleted shards; `grace_seconds` is how long they can still be brought back by hand.

    `now` is the ledger's time: no wall clock that jumps empties the trash, or keeps it for a year.
    Where space is short it is emptied sooner, oldest first: trash never costs a plot or an upload.
    """

    def __init__(
        self,
        rack: Rack,
        journal: Journal,
        grace_seconds: int,
        now: Callable[[], int],
        arriving: Callable[[bytes], bool] = lambda _root: False,
    ) -> None:
        self._rack, self._journal, self._now = rack, journal, now
        self._arriving = arriving
        self.clearing: Callable[[bytes], AbstractContextManager[None]] = lambda _: nullcontext()
        """Held from the look at a root until its files are gone: it is not sent here meanwhile."""
        self._index = ShardIndex(journal)
        self._lanes = Lanes("empty trash")
        self.stuck = StuckTrash(self._index)
        self.grace_seconds = grace_seconds

    def purge(self) -> int:
        """Remove what has waited long enough; the number of shards removed.

        Each disk alone: one that is away or hangs keeps its own trash and nobody else's.
        """
        now = self._now()
        if self._index.newest(ShardState.TRASH) > now:
            self._journal.write_now(lambda connection: restamp_trash(connection, now))
        before = now - self.grace_seconds
        known = {disk.id: disk for disk in self._rack.disks}
        work = {
            disk: partial(self._empty, known.get(disk), disk, before)
            for disk in self._index.trash_disks()
            if disk not in known or _writable(known[disk])
        }
        done = self._lanes.run(work, PURGE_SECONDS_MAX)
        return sum(removed.shards for removed in done.values())

    def relieve(self, missing: Mapping[str, int]) -> None:
        """Remove the oldest on these disks until so many bytes are free, whatever their age."""
        disks = {disk: self._rack.get(disk) for disk, size in missing.items() if size > 0}
        work = {
            name: partial(self._empty, disk, name, None, missing[name])
            for name, disk in disks.items()
            if _writable(disk) and self._index.totals(name).trash
        }
        for name, removed in self._lanes.run(work, PURGE_SECONDS_MAX).items():
            if removed.shards:
                _log.info(
                    "trash is emptied early, as space is short",
                    path=str(disks[name].path),
                    shards=removed.shards,
                    bytes=removed.bytes,
                )

    def make_room(self, size: int) -> bool:
        """Before an upload of that size is refused: whether a disk has room for it now."""
        best = max(
            (disk for disk in self._rack.disks if disk.placeable), key=self._room, default=None
        )
        if best is None or self._room(best) < size:
            return False
        self.relieve({best.id: size - best.available()})
        return best.available() >= size

    def _room(self, disk: Disk) -> int:
        return disk.available(self.removable_bytes(disk.id))

    def removable_bytes(self, disk: str) -> int:
        """What emptying the disk's trash would free: what cannot be removed frees nothing."""
        return max(0, self._index.totals(disk).trash_bytes - self.stuck.on(disk).bytes)

    def _empty(
        self, disk: Disk | None, name: str, before: int | None, enough: int | None = None
    ) -> TrashSum:
        """The oldest trash of a disk, until `enough` bytes went; None is a disk given up.

        Rows that are set aside are passed by, however many: they hide nothing behind them.
        """
        shards, size = 0, 0
        self.stuck.forget(name)
        rows = self._index.trash_on(name, _EVER if before is None else before, _PAGE)
        tried = (row for row in rows if disk is None or not self.stuck.waits(row))
        for row in islice(tried, _PURGE_MAX):
            if enough is not None and size >= enough:
                break
            with self.clearing(row.root):
                if self._is_still_trash(row.root) and self._remove(disk, row):
                    shards, size = shards + 1, size + row.size
        return TrashSum(shards, size)

    def _is_still_trash(self, root: bytes) -> bool:
        """Looked up anew for each: it may have been sent again since the rows were listed.

        In this order, as an upload is in the index before it is no longer arriving.
        """
        if self._arriving(root):
            return False
        row = self._index.find(root)
        return row is not None and row.state is ShardState.TRASH

    def _remove(self, disk: Disk | None, row: HeldShard) -> bool:
        if disk is not None and not self._delete(disk, row):
            return False
        return self._journal.write_now(lambda connection: drop_trash(connection, row.root))

    def _delete(self, disk: Disk, row: HeldShard) -> bool:
        """Its files; a file that cannot be removed is set aside, its disk permitting."""
        path = shard_path(disk, row.root)
        try:
            with disk.guard(f"remove shard {row.root.hex()[:16]} from the trash"):
                for file in (trash_path(disk, row.root), path, outboard_path(path)):
                    file.unlink(missing_ok=True)
        except (StorageError, FileNotFoundError) as error:
            if disk.there:
                self.stuck.add(row, str(error))
            return False
        self.stuck.done(row)
        return True


def _writable(disk: Disk) -> bool:
    return disk.readable and disk.state is not DiskState.READ_ONLY
