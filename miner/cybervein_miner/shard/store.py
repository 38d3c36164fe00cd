"""The shard store: the one door to shards' bytes, for uploads, downloads and audits."""

import asyncio
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from cybervein_protocol.errors import ConflictError, ProofError, StorageError, UnknownError
from cybervein_protocol.messages import Order
from cybervein_protocol.tree import OutboardError, verify_slice
from cybervein_runtime.files import write_atomic
from multiformats import CID

from cybervein_miner.disk.disk import Disk
from cybervein_miner.disk.rack import Rack
from cybervein_miner.record.journal import Journal
from cybervein_miner.record.tree_file import (
    expect_root,
    file_slice,
    file_tree,
    outboard_path,
    read_outboard,
)
from cybervein_miner.shard.incoming import Incoming
from cybervein_miner.shard.index import (
    Claim,
    HeldShard,
    ShardIndex,
    ShardState,
    drop_claims,
    put_claim,
    put_shard,
    set_state,
)
from cybervein_miner.shard.layout import shard_path, trash_path
from cybervein_miner.shard.orders import charge

CHUNK_BYTES = 1024


class MovedError(ConflictError):
    """The shard went to another of our disks between two looks; look again."""


class ShardStore:
    """Shards on the rack's disks, indexed in the journal."""

    def __init__(
        self, rack: Rack, journal: Journal, clock: Callable[[], float] = time.time
    ) -> None:
        self.rack, self.journal, self._clock = rack, journal, clock
        self.index = ShardIndex(journal)
        self._arriving: set[bytes] = set()
        self.claimed_again: set[bytes] = set()
        """Held shards that were sent here once more; whoever doubted them forgets that."""

    @contextmanager
    def receive(self, root: bytes, size: int) -> Iterator[Incoming]:
        """An upload onto the disk with most space; nothing stays of one that fails."""
        if root in self._arriving:
            raise ConflictError(f"shard {root.hex()[:16]} is being uploaded already; wait for it")
        incoming = Incoming(self.rack.choose(size), root, size)
        self._arriving.add(root)
        try:
            yield incoming
        finally:
            incoming.abort()
            self._arriving.discard(root)

    async def accept(self, incoming: Incoming, claim: Claim, order: Order) -> None:
        """Make a finished upload ours: row, claim and bytes used in one durable transaction."""
        row = HeldShard(
            incoming.root, incoming.disk.id, incoming.size, ShardState.HELD, self._now()
        )

        def work(connection: sqlite3.Connection) -> None:
            charge(connection, order, incoming.size)
            put_shard(connection, row)
            put_claim(connection, incoming.root, claim)

        before = self.index.find(incoming.root)
        await self.journal.write(work)
        if before is not None:
            await asyncio.to_thread(self._remove_old_copy, before, incoming.disk)

    def keeps(self, row: HeldShard) -> bool:
        """Whether a shard is held on a disk that stays."""
        try:
            return row.held and self.rack.get(row.disk).stays
        except UnknownError:
            return False

    async def claim_again(self, root: bytes, claim: Claim) -> None:
        """Another deal claims a shard that is held already, or it was moved back here."""
        self.claimed_again.add(root)
        await self.journal.write(lambda connection: put_claim(connection, root, claim))

    def _remove_old_copy(self, before: HeldShard, now_on: Disk) -> None:
        with suppress(UnknownError, OSError):
            disk = self.rack.get(before.disk)
            trash_path(disk, before.root).unlink(missing_ok=True)
            if disk is not now_on:
                remove_files(shard_path(disk, before.root))

    def held(self, root: bytes) -> HeldShard:
        """The row of a shard that can be served. Raises UnknownError or StorageError."""
        row = self.index.find(root)
        if row is None or row.state is not ShardState.HELD:
            state = "not held here" if row is None else f"{row.state.value} here"
            raise UnknownError(f"shard {root.hex()} is {state}; ask another miner")
        return row

    @contextmanager
    def reading(self, row: HeldShard) -> Iterator[Disk]:
        """Read a held shard's file; one that cannot be read is set aside, its disk permitting.

        Raises UnknownError (its file is gone), MovedError or StorageError.
        """
        disk = self.rack.get(row.disk)
        try:
            with disk.guard(f"read shard {row.root.hex()[:16]}"):
                yield disk
        except FileNotFoundError as error:
            self.require_unmoved(row)
            self.mark(row.root, ShardState.LOST)
            raise UnknownError(f"shard {row.root.hex()} is lost: its file is gone") from error
        except StorageError:
            if disk.readable:
                self.mark(row.root, ShardState.BAD)
            raise

    def require_unmoved(self, row: HeldShard) -> None:
        """Raise MovedError where the row is not what the index says now."""
        now = self.index.find(row.root)
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
        """A Bao slice. Raises StorageError or UnknownError; a lost outboard is made again."""
        try:
            with self.reading(row) as disk:
                return self._slice(shard_path(disk, row.root), row.root, start, length)
        except MovedError:
            return self.slice(self.held(row.root), start, length)

    @staticmethod
    def _slice(path: Path, root: bytes, start: int, length: int) -> bytes:
        with suppress(OutboardError, FileNotFoundError):
            return file_slice(path, read_outboard(path), start, length)
        return file_slice(path, mend_outboard(path, root), start, length)

    def proven_slice(self, row: HeldShard, chunk: int) -> bytes:
        """The slice of one chunk that verifies under the root. Raises ProofError: rotten bytes."""
        start = chunk * CHUNK_BYTES
        data = self.slice(row, start, CHUNK_BYTES)
        try:
            verify_slice(data, row.root, start, CHUNK_BYTES)
        except ProofError:
            return self._second_try(self.held(row.root), start)
        return data

    def _second_try(self, row: HeldShard, start: int) -> bytes:
        """Either the outboard was damaged, which is mended, or the shard is."""
        try:
            with self.reading(row) as disk:
                path = shard_path(disk, row.root)
                return file_slice(path, mend_outboard(path, row.root), start, CHUNK_BYTES)
        except ProofError:
            self.mark(row.root, ShardState.BAD)
            raise

    def believe_again(self, disk: Disk) -> None:
        """A person had the disk looked after: bad shards on it are scrubbed first, then judged."""
        values = (ShardState.HELD, bytes.fromhex(disk.id), ShardState.BAD)
        self.journal.write_now(
            lambda connection: connection.execute(
                "UPDATE shard SET state = ?, scrubbed = 0 WHERE disk = ? AND state = ?", values
            )
        )

    def mark(self, root: bytes, state: ShardState) -> None:
        """Change a shard's state from any thread."""
        now = self._now()
        self.journal.write_now(lambda connection: set_state(connection, root, state, now))

    async def delete(self, root: bytes, deal: CID) -> None:
        """Drop a deal's claims; with the last one the shard moves to the trash."""
        row = self.index.find(root)
        now = self._now()

        def work(connection: sqlite3.Connection) -> bool:
            last = drop_claims(connection, root, deal) == 0
            if last:
                set_state(connection, root, ShardState.TRASH, now)
            return last

        if row is not None and await self.journal.write(work):
            await asyncio.to_thread(self._to_trash, row)

    def _to_trash(self, row: HeldShard) -> None:
        """The index said so first: a crash here leaves a file that `trash` moves or purges."""
        disk = self.rack.get(row.disk)
        path = shard_path(disk, row.root)
        with suppress(StorageError, FileNotFoundError), disk.guard("move a shard to the trash"):
            path.replace(trash_path(disk, row.root))
            outboard_path(path).unlink(missing_ok=True)

    def _now(self) -> int:
        return int(self._clock())


def mend_outboard(path: Path, root: bytes) -> bytes:
    """Compute the outboard again. Raises ProofError if the data is not the root's."""
    actual, outboard = file_tree(path)
    expect_root(path, actual, root)
    if outboard:
        with suppress(StorageError):
            write_atomic(outboard_path(path), outboard)
    return outboard


def remove_files(path: Path) -> None:
    """Delete a file and its outboard."""
    path.unlink(missing_ok=True)
    outboard_path(path).unlink(missing_ok=True)
