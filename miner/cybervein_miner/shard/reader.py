"""Reading held shards: for downloads, slices and audits, from any thread.

What cannot be read is judged at once: a shard whose file is gone is lost, one whose bytes rotted is
bad, and either is never served again. A lost or damaged outboard is made again. A slice is verified
before it leaves: whoever asked for it would take a damaged outboard for a rotten shard.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from cybervein_protocol.errors import ConflictError, ProofError, StorageError, UnknownError
from cybervein_protocol.tree import OutboardError, verify_slice

from cybervein_miner.disk.calls import ANSWER_SECONDS
from cybervein_miner.disk.disk import Disk
from cybervein_miner.disk.outboards import Outboards
from cybervein_miner.disk.rack import Rack
from cybervein_miner.disk.trouble import says_of_file
from cybervein_miner.record.journal import Journal
from cybervein_miner.record.tree_file import file_slice
from cybervein_miner.shard.index import HeldShard, ShardIndex, ShardState, judge_held
from cybervein_miner.shard.layout import shard_path

CHUNK_BYTES = 1024


class MovedError(ConflictError):
    """The shard went to another of our disks between two looks; look again."""


class ShardReader:
    """The bytes of held shards, and the judgement of those that cannot be read."""

    def __init__(
        self,
        rack: Rack,
        journal: Journal,
        index: ShardIndex,
        now: Callable[[], int],
        outboards: Outboards,
    ) -> None:
        self._rack, self._journal, self._index, self._now = rack, journal, index, now
        self.outboards = outboards

    def held(self, root: bytes) -> HeldShard:
        """The row of a shard that can be served. Raises UnknownError or StorageError."""
        row = self._index.find(root)
        if row is None or row.state is not ShardState.HELD:
            state = "not held here" if row is None else f"{row.state.value} here"
            raise UnknownError(f"shard {root.hex()} is {state}; ask another miner")
        return row

    @contextmanager
    def reading(self, row: HeldShard, seconds: float | None = ANSWER_SECONDS) -> Iterator[Disk]:
        """Read a held shard's file; one that cannot be read is set aside, its disk permitting.

        `seconds` as for the disk's guard. Raises UnknownError (its file is gone), MovedError or
        StorageError.
        """
        disk = self._rack.get(row.disk)
        try:
            doing, file = f"read shard {row.root.hex()[:16]}", shard_path(disk, row.root)
            with disk.guard(doing, seconds, file):
                yield disk
        except FileNotFoundError as error:
            self.require_unmoved(row)
            self.mark(row, ShardState.LOST)
            raise UnknownError(f"shard {row.root.hex()} is lost: its file is gone") from error
        except StorageError as error:
            if disk.readable and says_of_file(error.__cause__):
                self.mark(row, ShardState.BAD)
            raise

    def require_unmoved(self, row: HeldShard) -> None:
        """Raise MovedError where the row is not what the index says now."""
        now = self._index.find(row.root)
        if now is None or (now.disk, now.state) != (row.disk, row.state):
            raise MovedError(f"shard {row.root.hex()} was moved meanwhile; ask again")

    def open(self, row: HeldShard) -> int:
        """An open file handle of a held shard. Raises StorageError or UnknownError."""
        try:
            with self.reading(row) as disk:
                return os.open(shard_path(disk, row.root), os.O_RDONLY)
        except MovedError:
            return self.open(self.held(row.root))

    def open_file(self, row: HeldShard) -> BinaryIO:
        """The same as an unbuffered file. Raises as open."""
        return os.fdopen(self.open(row), "rb", buffering=0)

    def slice(self, row: HeldShard, start: int, length: int) -> bytes:
        """A Bao slice that verifies under the root.

        Raises ProofError (rotten bytes: the shard is set aside), StorageError or UnknownError.
        """
        try:
            with self.reading(row) as disk:
                return self._slice(shard_path(disk, row.root), row.root, start, length)
        except MovedError:
            return self.slice(self.held(row.root), start, length)
        except ProofError:
            self.mark(row, ShardState.BAD)
            raise

    def _slice(self, path: Path, root: bytes, start: int, length: int) -> bytes:
        """By the outboard that is there, else by one that is made again."""
        with suppress(OutboardError, FileNotFoundError, ProofError):
            data = file_slice(path, self.outboards.read(path), start, length)
            verify_slice(data, root, start, length)
            return data
        return file_slice(path, self.outboards.mend(path, root), start, length)

    def proven_slice(self, row: HeldShard, chunk: int) -> bytes:
        """The slice of one chunk. Raises as `slice`."""
        return self.slice(row, chunk * CHUNK_BYTES, CHUNK_BYTES)

    def mark(self, row: HeldShard, state: ShardState) -> None:
        """Change the state of a shard as it was read, from any thread.

        One that was sent again or moved since is another copy: nothing is known of that.
        """
        now = self._now()
        self._journal.write_now(lambda connection: judge_held(connection, row, state, now))
