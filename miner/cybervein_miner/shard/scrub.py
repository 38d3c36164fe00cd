"""Scrubbing: read everything again, slowly, and find rot before an auditor does.

One disk after the other, the shard that was verified longest ago first, at a bounded read rate so
that customers and proofs do not notice. A rotten shard is quarantined alone: it is not served (an
audit is answered with admitted loss) and its bytes stay for a look. An outboard that is not the
shard's is made again. A disk that hangs is left to its thread, and its turn comes when it has
answered.
"""

import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from cybervein_protocol.errors import StorageError

from cybervein_miner.disk.calls import Call
from cybervein_miner.disk.disk import Disk
from cybervein_miner.disk.threads import Lanes
from cybervein_miner.disk.trouble import says_of_file
from cybervein_miner.record.tree_file import file_tree
from cybervein_miner.shard.index import HeldShard, ShardState
from cybervein_miner.shard.layout import shard_path
from cybervein_miner.shard.reader import MovedError
from cybervein_miner.shard.store import ShardStore

RATE_BYTES_PER_SECOND = 8 << 20
INTERVAL_SECONDS = 7 * 24 * 3600
TURN_SECONDS_MAX = 60.0
"""A shard takes eight seconds at this rate; after this time it is the next disk's turn."""


class Pace:
    """Keeps a reader at a rate: call it with the bytes just read. Stops early when told to."""

    def __init__(self, bytes_per_second: int, stop: threading.Event) -> None:
        self._rate, self._stop = bytes_per_second, stop
        self._next = time.monotonic()

    def __call__(self, count: int) -> None:
        """Wait as long as `count` bytes may take. Raises InterruptedError when stopped."""
        now = time.monotonic()
        self._next = max(self._next, now) + count / self._rate
        if self._stop.wait(self._next - now):
            raise InterruptedError("scrubbing stops with the miner")


class Scrubber:
    """Verifies shards of all disks, one at a time; methods block and run in a thread."""

    def __init__(
        self,
        store: ShardStore,
        pace: Callable[[int], None],
        now: Callable[[], int],
        interval_seconds: int = INTERVAL_SECONDS,
    ) -> None:
        self._store, self._pace, self._now = store, pace, now
        self._interval = interval_seconds
        self._lanes = Lanes("scrub")
        self.scrubbed_bytes = 0
        self.found_bad = 0

    def step(self) -> bool:
        """Verify the next due shard of every readable disk; whether one was verified."""
        now = self._now()
        before = max(1, now - self._interval)  # what was never verified is due in any case
        due = [
            (disk, row)
            for disk in self._store.rack.disks
            if disk.readable
            and disk.stays
            and (row := self._store.index.to_scrub(disk.id, before, now)) is not None
        ]
        done = [
            self._lanes.run({disk.id: partial(self._verify, disk, row)}, TURN_SECONDS_MAX)
            for disk, row in due
        ]
        return any(done)

    def _verify(self, disk: Disk, row: HeldShard) -> None:
        path = shard_path(disk, row.root)
        try:
            with disk.guard(f"scrub shard {row.root.hex()[:16]}", file=path) as call:
                root, outboard = file_tree(path, partial(self._paced, call))
                if root == row.root:
                    self._store.reader.outboards.keep(path, outboard)
        except FileNotFoundError:
            with suppress(MovedError):
                self._store.reader.require_unmoved(row)
                self._bad(row, ShardState.LOST)
            return
        except StorageError as error:
            if disk.readable and says_of_file(error.__cause__):
                self._bad(row, ShardState.BAD)  # the disk counts such errors itself
            return
        self.scrubbed_bytes += row.size
        if root != row.root:
            self._bad(row, ShardState.BAD)
            return
        self._verified(row)

    def _paced(self, call: Call, count: int) -> None:
        """The pause is ours: the disk's time begins anew after it."""
        self._pace(count)
        call.beat()

    def _bad(self, row: HeldShard, state: ShardState) -> None:
        self.found_bad += 1
        self._store.reader.mark(row, state)

    def _verified(self, row: HeldShard) -> None:
        now = self._now()

        def work(connection: sqlite3.Connection) -> None:
            connection.execute("UPDATE shard SET scrubbed = ? WHERE root = ?", (now, row.root))

        self._store.journal.write_now(work, durable=False)
