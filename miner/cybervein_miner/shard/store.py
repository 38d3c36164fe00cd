"""The shard store: how shards come, who claims them and how they go; `reader` reads them."""

import asyncio
import sqlite3
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from pathlib import Path

from cybervein_protocol.errors import ConflictError, CyberVeinError, StorageError, UnknownError
from cybervein_protocol.messages import Order
from cybervein_runtime.reasons import FULL
from multiformats import CID

from cybervein_miner.disk.calls import ANSWER_SECONDS
from cybervein_miner.disk.daemons import begin
from cybervein_miner.disk.disk import Disk
from cybervein_miner.disk.outboards import Outboards
from cybervein_miner.disk.rack import Rack
from cybervein_miner.disk.threads import answer_in_time, in_time
from cybervein_miner.record.journal import Journal
from cybervein_miner.record.tally import Tally
from cybervein_miner.record.tree_file import outboard_path
from cybervein_miner.shard.incoming import Incoming
from cybervein_miner.shard.index import (
    Claim,
    HeldShard,
    ShardIndex,
    ShardState,
    claim_held,
    drop_claims,
    put_claim,
    put_shard,
    set_state,
)
from cybervein_miner.shard.layout import shard_path, trash_path
from cybervein_miner.shard.orders import charge
from cybervein_miner.shard.reader import ShardReader


class ShardStore:
    """Shards on the rack's disks, indexed in the journal; `now` is the ledger's time."""

    def __init__(
        self, rack: Rack, journal: Journal, now: Callable[[], int], tally: Tally | None = None
    ) -> None:
        self.rack, self.journal, self.now = rack, journal, now
        self.index = ShardIndex(journal)
        self.reader = ShardReader(rack, journal, self.index, now, Outboards(tally or Tally()))
        self._arriving: set[bytes] = set()
        self._clearing: Counter[bytes] = Counter()
        self._expecting = threading.Lock()
        self.make_room: Callable[[int], bool] = lambda _size: False
        """Asked before an upload is refused: whether so many bytes were freed on some disk."""
        self.claimed_again: set[bytes] = set()
        """Held shards that were sent here once more; whoever doubted them forgets that."""

    @contextmanager
    def receive(self, root: bytes, size: int) -> Iterator[Incoming]:
        """An upload onto the disk with most space; nothing stays of one that fails."""
        incoming = self._open(root, size)
        try:
            yield incoming
        finally:
            self._close(incoming)

    @asynccontextmanager
    async def receiving(self, root: bytes, size: int) -> AsyncIterator[Incoming]:
        """The same from an event loop, which no disk may hold up."""
        opening = begin(partial(self._open, root, size), "open upload")
        try:
            yield await answer_in_time(opening, f"store shard {root.hex()[:16]}")
        finally:
            closing = begin(partial(self._close_opened, opening), "close upload")
            with suppress(TimeoutError):
                await asyncio.wait_for(asyncio.wrap_future(closing), ANSWER_SECONDS)

    def _open(self, root: bytes, size: int) -> Incoming:
        with self._expecting:
            if root in self._arriving:
                raise ConflictError(
                    f"shard {root.hex()[:16]} is being uploaded already; wait for it"
                )
            if root in self._clearing:
                raise ConflictError(
                    f"shard {root.hex()[:16]} is being thrown away just now; send it again"
                )
            self._arriving.add(root)
        try:
            return self._place(root, size)
        except BaseException:
            self._arriving.discard(root)
            raise

    def _place(self, root: bytes, size: int) -> Incoming:
        """On the disk with most space; where its filesystem refuses the file, on the next."""
        for _ in self.rack.disks:
            try:
                return Incoming(self._choose(size), root, size)
            except StorageError as error:
                if not (isinstance(error.__cause__, OSError) and error.__cause__.errno in FULL):
                    raise
        return Incoming(self._choose(size), root, size)

    def _choose(self, size: int) -> Disk:
        """Trash goes before anything is refused."""
        try:
            return self.rack.choose(size)
        except StorageError:
            if not self.make_room(size):
                raise
            return self.rack.choose(size)

    def arriving(self, root: bytes) -> bool:
        """Whether it is being uploaded just now."""
        return root in self._arriving

    @contextmanager
    def clearing(self, root: bytes) -> Iterator[None]:
        """Keep a root from being sent here while its old files go.

        They have the names that it would get: whoever looked first and then deletes, however late
        a slow disk lets him, never meets a file that was acknowledged in between.
        """
        with self._expecting:
            self._clearing[root] += 1
        try:
            yield
        finally:
            with self._expecting:
                self._clearing -= Counter((root,))

    def _close_opened(self, opening: Future[Incoming]) -> None:
        """Once it was opened at last: whoever asked for it may be gone by then."""
        with suppress(CyberVeinError, OSError):
            self._close(opening.result())

    def _close(self, incoming: Incoming) -> None:
        incoming.abort()
        self._arriving.discard(incoming.root)

    async def accept(self, incoming: Incoming, claim: Claim, order: Order) -> None:
        """Make a finished upload ours: row, claim and bytes used in one durable transaction."""
        row = HeldShard(incoming.root, incoming.disk.id, incoming.size, ShardState.HELD, self.now())

        def work(connection: sqlite3.Connection) -> None:
            charge(connection, order, incoming.size)
            put_shard(connection, row)
            put_claim(connection, incoming.root, claim)

        before = self.index.find(incoming.root)
        await self.journal.write(work)
        if before is not None:
            await _patiently(partial(self._remove_old_copy, before, incoming.disk))

    def keeps(self, row: HeldShard) -> bool:
        """Whether a shard is held on a disk that stays."""
        try:
            return row.held and self.rack.get(row.disk).stays
        except UnknownError:
            return False

    async def claim_again(self, root: bytes, claim: Claim) -> bool:
        """Another deal claims a shard that is held already, or it was moved back here.

        Whether it still is held: its last claim may have gone in the moment before.
        """
        self.claimed_again.add(root)
        return await self.journal.write(lambda connection: claim_held(connection, root, claim))

    def _remove_old_copy(self, before: HeldShard, now_on: Disk) -> None:
        with suppress(UnknownError, OSError):
            disk = self.rack.get(before.disk)
            trash_path(disk, before.root).unlink(missing_ok=True)
            if disk is not now_on:
                remove_files(shard_path(disk, before.root))

    def believe_again(self, disk: Disk) -> None:
        """A person had the disk looked after: bad shards on it are scrubbed first, then judged."""
        values = (ShardState.HELD, bytes.fromhex(disk.id), ShardState.BAD)
        self.journal.write_now(
            lambda connection: connection.execute(
                "UPDATE shard SET state = ?, scrubbed = 0 WHERE disk = ? AND state = ?", values
            )
        )

    async def delete(self, root: bytes, deal: CID) -> None:
        """Drop a deal's claims; with the last one the shard moves to the trash."""
        row = self.index.find(root)
        now = self.now()

        def work(connection: sqlite3.Connection) -> bool:
            last = drop_claims(connection, root, deal) == 0
            if last:
                set_state(connection, root, ShardState.TRASH, now)
            return last

        if row is not None and await self.journal.write(work):
            await _patiently(partial(self._to_trash, row))

    def _state(self, root: bytes) -> ShardState | None:
        row = self.index.find(root)
        return None if row is None else row.state

    def _to_trash(self, row: HeldShard) -> None:
        """The index said so first: a crash here leaves a file that `trash` moves or purges.

        A disk may be slow to get here; what was sent again meanwhile stays.
        """
        with self.clearing(row.root):
            if self.arriving(row.root) or self._state(row.root) is not ShardState.TRASH:
                return
            disk = self.rack.get(row.disk)
            path = shard_path(disk, row.root)
            with suppress(StorageError, FileNotFoundError), disk.guard("move a shard to the trash"):
                path.replace(trash_path(disk, row.root))
                outboard_path(path).unlink(missing_ok=True)


async def _patiently(work: Callable[[], None]) -> None:
    """Files follow the index; where their disk keeps us waiting, later."""
    with suppress(StorageError):
        await in_time(work, "put a file where the index has it")


def remove_files(path: Path) -> None:
    """Delete a file and its outboard."""
    path.unlink(missing_ok=True)
    outboard_path(path).unlink(missing_ok=True)
