"""Throwing away slowly: deleted shards wait for a grace period, and what a crash left is put right.

The index is written first and files follow, so files are what may be out of step: `tidy` runs at
the start, before anything is served, and `purge` when the grace is over.
"""

import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

import structlog
from cybervein_protocol.errors import StorageError, UnknownError

from cybervein_miner.disk.belongings import found_in, shard_files
from cybervein_miner.disk.disk import Disk
from cybervein_miner.disk.rack import Rack
from cybervein_miner.record.journal import Journal
from cybervein_miner.record.tree_file import outboard_path
from cybervein_miner.shard.index import (
    HeldShard,
    ShardIndex,
    ShardState,
    drop_shard,
    put_shard,
    restamp_trash,
)
from cybervein_miner.shard.layout import shard_path, trash_path
from cybervein_miner.shard.store import remove_files

_NAME = re.compile(r"[0-9a-f]{64}")
_PURGE_MAX = 1000
_log = structlog.get_logger()


class Trash:
    """Deleted shards; `grace_seconds` is how long they can still be brought back by hand.

    `now` is the ledger's time: no wall clock that jumps empties the trash, or keeps it for a year.
    """

    def __init__(
        self,
        rack: Rack,
        journal: Journal,
        grace_seconds: int,
        now: Callable[[], int],
    ) -> None:
        self._rack, self._journal, self._now = rack, journal, now
        self._index = ShardIndex(journal)
        self.grace_seconds = grace_seconds

    def purge(self) -> int:
        """Remove what has waited long enough; the number of shards removed."""
        now = self._now()
        if self._index.newest(ShardState.TRASH) > now:
            self._journal.write_now(lambda connection: restamp_trash(connection, now))
        rows = self._index.in_state(ShardState.TRASH, now - self.grace_seconds, _PURGE_MAX)
        return sum(self._purge(row) for row in rows)

    def _purge(self, row: HeldShard) -> bool:
        try:
            disk = self._rack.get(row.disk)
            with disk.guard("empty the trash"):
                trash_path(disk, row.root).unlink(missing_ok=True)
                for file in (shard_path(disk, row.root), outboard_path(shard_path(disk, row.root))):
                    file.unlink(missing_ok=True)
        except StorageError:
            return False  # the disk is away: its turn comes when it is back
        except UnknownError:
            pass  # the disk was given up: only the row is left
        self._journal.write_now(lambda connection: drop_shard(connection, row.root))
        return True


def tidy(disks: Iterable[Disk], journal: Journal, now: int) -> list[bytes]:
    """On disks that were just opened: drop unfinished uploads, adopt whole but unknown shards.

    Such a shard was renamed but not yet acknowledged, or the journal is younger than the disk. It
    is kept without a claim; the ledger decides later whether anyone wants it. Returns their roots.
    """
    adopted, found = [], list(disks)
    for disk in found:
        if disk.placeable:
            with _on_its_own(disk, "drop unfinished uploads"):
                _drop_unfinished(disk)
            with _on_its_own(disk, "drop second copies"):
                _drop_second_copies(disk, found, journal)
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


def _drop_second_copies(disk: Disk, disks: Sequence[Disk], journal: Journal) -> None:
    """A move between two disks was cut short: the copy that the index does not name goes."""
    others = {bytes.fromhex(each.id): each for each in disks if each is not disk and each.readable}
    sql = "SELECT root, disk FROM shard WHERE state = ?"
    named = {root: others.get(on) for root, on in journal.read(sql, (ShardState.HELD,))}
    for file in shard_files(disk):
        root = bytes.fromhex(file.name)
        other = named.get(root)
        if other is not None and shard_path(other, root).exists():
            remove_files(file)


def _drop_unfinished(disk: Disk) -> None:
    for file in found_in(disk, "tmp").ours:
        if _NAME.match(file.name):
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
