"""Shards of a disk that leaves go to the miner's other disks: copy, sync, verify, switch, delete.

The index names one whole copy at every moment. A crash before the switch leaves a copy that nobody
names on the new disk, one after it the same on the old disk; the first is removed at the next start
(`tidy`), the second goes with its disk.
"""

import sqlite3
from collections.abc import Callable
from contextlib import suppress
from typing import BinaryIO, Final

import structlog
from cybervein_protocol.errors import (
    CyberVeinError,
    LimitError,
    MalformedError,
    ProofError,
    StorageError,
)

from cybervein_miner.disk.disk import Disk
from cybervein_miner.shard.incoming import Incoming
from cybervein_miner.shard.index import HeldShard, ShardState
from cybervein_miner.shard.layout import shard_path
from cybervein_miner.shard.store import ShardStore, remove_files

PIECE_BYTES: Final = 1 << 20
SHARDS_PER_STEP: Final = 16
FAILURES_PER_STEP: Final = 64
_log = structlog.get_logger()


class Vacater:
    """Moves shards between this miner's disks; methods block and run in a thread."""

    def __init__(self, store: ShardStore, stopping: Callable[[], bool]) -> None:
        self._store, self._stopping = store, stopping
        self._cursor: dict[str, bytes] = {}

    def step(self, disk: Disk) -> int:
        """Move the next few shards of a leaving disk; how many moved, 0 where none can."""
        if not disk.readable or not any(other.placeable for other in self._store.rack.disks):
            return 0
        moved, failed = 0, 0
        while moved < SHARDS_PER_STEP and failed < FAILURES_PER_STEP and not self._stopping():
            rows = self._store.index.on_disk(disk.id, 1, self._cursor.get(disk.id, b""))
            if not rows:
                self._cursor.pop(disk.id, None)  # from the beginning again, next time
                break
            self._cursor[disk.id] = rows[0].root
            if self._attempt(disk, rows[0]):
                moved += 1
            else:
                failed += 1
        return moved

    def _attempt(self, disk: Disk, row: HeldShard) -> bool:
        try:
            with self._store.receive(row.root, row.size) as incoming:
                self._copy(disk, row, incoming)
                switched = self._switch(row, incoming.disk)
        except StorageError:
            return False  # no room, or it cannot be read: it leaves by way of the network
        except (CyberVeinError, OSError) as error:
            _log.warning("shard stays on its disk", shard=row.root.hex()[:16], error=str(error))
            return False
        here = disk if switched else incoming.disk
        with suppress(StorageError, FileNotFoundError), here.guard("delete a moved shard"):
            remove_files(shard_path(here, row.root))
        return switched

    def _copy(self, disk: Disk, row: HeldShard, incoming: Incoming) -> None:
        """Onto the new disk, verified and synced; rotten bytes are set aside where they are."""
        try:
            with self._store.reader.open_file(row) as file:
                while piece := _read(disk, row, file):
                    incoming.write(piece)
            incoming.finish()
        except (LimitError, MalformedError, ProofError):
            self._store.reader.mark(row, ShardState.BAD)
            raise

    def _switch(self, row: HeldShard, target: Disk) -> bool:
        """Point the index at the new copy, unless the shard was deleted or replaced meanwhile."""
        values = (bytes.fromhex(target.id), row.root, bytes.fromhex(row.disk), ShardState.HELD)

        def work(connection: sqlite3.Connection) -> bool:
            sql = "UPDATE shard SET disk = ? WHERE root = ? AND disk = ? AND state = ?"
            return connection.execute(sql, values).rowcount == 1

        return self._store.journal.write_now(work)


def _read(disk: Disk, row: HeldShard, file: BinaryIO) -> bytes:
    doing = f"read shard {row.root.hex()[:16]}"
    with disk.guard(doing, file=shard_path(disk, row.root)):
        return file.read(PIECE_BYTES)
