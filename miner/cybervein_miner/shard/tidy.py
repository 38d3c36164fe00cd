"""What a crash left on disks that were just opened is put right before anything is served.

The index is written first and files follow, so files are what may be out of step.
"""

import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

import structlog
from cybervein_protocol.errors import StorageError

from cybervein_miner.disk.belongings import found_in, shard_files
from cybervein_miner.disk.disk import Disk
from cybervein_miner.record.journal import Journal
from cybervein_miner.shard.index import HeldShard, ShardState, put_shard
from cybervein_miner.shard.layout import shard_path
from cybervein_miner.shard.store import remove_files

_NAME = re.compile(r"[0-9a-f]{64}")
_log = structlog.get_logger()


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
