"""Throwing away slowly: deleted shards wait for a grace period, and what a crash left is put right.

The index is written first and files follow, so files are what may be out of step: `tidy` runs at
the start, before anything is served, and `purge` when the grace is over.
"""

import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial

import structlog
from cybervein_protocol.api.disk_state import DiskState
from cybervein_protocol.errors import StorageError

from cybervein_miner.disk.aside import Aside
from cybervein_miner.disk.belongings import found_in, shard_files
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
    put_shard,
    restamp_trash,
)
from cybervein_miner.shard.layout import shard_path, trash_path
from cybervein_miner.shard.store import remove_files

_NAME = re.compile(r"[0-9a-f]{64}")
_PURGE_MAX = 1000
_EVER = 1 << 62
PURGE_SECONDS_MAX = 20.0
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class RemovedTrash:
    """What was removed for good."""

    shards: int
    bytes: int


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
        self._lanes, self._aside = Lanes("empty trash"), Aside()
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
        return disk.available(self._index.totals(disk.id).trash_bytes)

    def _empty(
        self, disk: Disk | None, name: str, before: int | None, enough: int | None = None
    ) -> RemovedTrash:
        """The oldest trash of a disk, until `enough` bytes went; None is a disk given up."""
        shards, size = 0, 0
        for row in self._index.trash_on(name, _EVER if before is None else before, _PURGE_MAX):
            if enough is not None and size >= enough:
                break
            with self.clearing(row.root):
                if self._is_still_trash(row.root) and self._remove(disk, row):
                    shards, size = shards + 1, size + row.size
        return RemovedTrash(shards, size)

    def _is_still_trash(self, root: bytes) -> bool:
        """Looked up anew for each: it may have been sent again since the rows were listed.

        In this order, as an upload is in the index before it is no longer arriving.
        """
        if self._arriving(root):
            return False
        row = self._index.find(root)
        return row is not None and row.state is ShardState.TRASH

    def _remove(self, disk: Disk | None, row: HeldShard) -> bool:
        if disk is not None and (self._aside.waits(row.root) or not self._delete(disk, row)):
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
            if disk.there and self._aside.failed(row.root):
                _log.warning("trash is set aside and tried again later", error=str(error))
            return False
        self._aside.done(row.root)
        return True


def _writable(disk: Disk) -> bool:
    return disk.readable and disk.state is not DiskState.READ_ONLY


def tidy(
    disks: Iterable[Disk],
    journal: Journal,
    now: int,
    arriving: Callable[[bytes], bool] = lambda _root: False,
) -> list[bytes]:
    """On disks that were just opened: drop unfinished uploads, adopt whole but unknown shards.

    Such a shard was renamed but not yet acknowledged, or the journal is younger than the disk. It
    is kept without a claim; the ledger decides later whether anyone wants it. Files of uploads that
    are `arriving` are left alone. Returns the roots that were adopted.
    """
    adopted, found = [], list(disks)
    for disk in found:
        if disk.placeable:
            with _on_its_own(disk, "drop unfinished uploads"):
                _drop_unfinished(disk, arriving)
            with _on_its_own(disk, "drop second copies"):
                _drop_second_copies(disk, found, journal, arriving)
            with _on_its_own(disk, "adopt unknown shards"):
                adopted += _adopt(disk, found, journal, now)
    return adopted


@contextmanager
def _on_its_own(disk: Disk, doing: str) -> Iterator[None]:
    """A step that fails is said and keeps none of the others from being done."""
    try:
        with disk.guard(doing, None):
            yield
    except (StorageError, FileNotFoundError) as error:
        _log.error("given up until the disk comes again", doing=doing, error=str(error))


def _drop_second_copies(
    disk: Disk, disks: Sequence[Disk], journal: Journal, arriving: Callable[[bytes], bool]
) -> None:
    """A move between two disks was cut short: the copy that the index does not name goes."""
    others = {bytes.fromhex(each.id): each for each in disks if each is not disk and each.readable}
    sql = "SELECT root, disk FROM shard WHERE state = ?"
    named = {root: others.get(on) for root, on in journal.read(sql, (ShardState.HELD,))}
    for file in shard_files(disk):
        root = bytes.fromhex(file.name)
        other = named.get(root)
        if other is None or arriving(root):
            continue
        if shard_path(other, root).exists():
            remove_files(file)


def _drop_unfinished(disk: Disk, arriving: Callable[[bytes], bool]) -> None:
    for file in found_in(disk, "tmp").ours:
        root = _NAME.match(file.name)
        if root and not arriving(bytes.fromhex(root[0])):
            file.unlink(missing_ok=True)


def _adopt(disk: Disk, disks: Sequence[Disk], journal: Journal, now: int) -> list[bytes]:
    """Take in what no row knows, and what its row says is on another disk that has no such file."""
    rows_of = "SELECT root, disk, state FROM shard"
    known = {root: (on.hex(), state) for root, on, state in journal.read(rows_of)}
    others = {each.id: each for each in disks if each is not disk and each.readable}

    def stranger(root: bytes) -> bool:
        if root not in known:
            return True
        on, state = known[root]
        other = others.get(on)  # moved here, after a backup of the journal was made?
        return bool(other and state == ShardState.HELD and not shard_path(other, root).exists())

    strangers = [file for file in shard_files(disk) if stranger(bytes.fromhex(file.name))]
    rows = [
        HeldShard(bytes.fromhex(f.name), disk.id, f.stat().st_size, ShardState.HELD, now)
        for f in strangers
    ]

    def work(connection: sqlite3.Connection) -> None:
        for row in rows:
            put_shard(connection, row)
            connection.execute("UPDATE shard SET scrubbed = 0 WHERE root = ?", (row.root,))

    if rows:
        journal.write_now(work)
    return [row.root for row in rows]
