"""The miner's memory: one SQLite file (WAL) with one writing thread and group commits.

Every fact that must survive a crash is written here before it is acknowledged. Writers hand in a
function; those that wait together share one transaction and one sync. A function that raises rolls
back alone (savepoint). `durable=False` saves the sync: such a write survives any crash of the
process and may be lost only with the machine's power (bytes used of an order, scrub positions).
"""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from cybervein_protocol.errors import StorageError
from cybervein_runtime.database import (
    Store,
    damaged,
    is_damage,
    open_database,
    open_reader,
    transaction,
)

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]

_BATCH_MAX = 256
SCHEMA: Final = """
CREATE TABLE disk (id BLOB PRIMARY KEY, path TEXT NOT NULL UNIQUE, leaving INTEGER NOT NULL);
CREATE TABLE shard (
    root BLOB PRIMARY KEY, disk BLOB NOT NULL, size INTEGER NOT NULL, state TEXT NOT NULL,
    changed INTEGER NOT NULL, scrubbed INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX shard_disk ON shard (disk, state, scrubbed);
CREATE INDEX shard_state ON shard (state, changed);
CREATE TABLE shard_total (
    disk BLOB NOT NULL, state TEXT NOT NULL, shards INTEGER NOT NULL, bytes INTEGER NOT NULL,
    PRIMARY KEY (disk, state)
) WITHOUT ROWID;
CREATE TRIGGER shard_in AFTER INSERT ON shard BEGIN
    INSERT INTO shard_total VALUES (new.disk, new.state, 1, new.size)
    ON CONFLICT DO UPDATE SET shards = shards + 1, bytes = bytes + new.size;
END;
CREATE TRIGGER shard_out AFTER DELETE ON shard BEGIN
    UPDATE shard_total SET shards = shards - 1, bytes = bytes - old.size
    WHERE disk = old.disk AND state = old.state;
END;
CREATE TRIGGER shard_change AFTER UPDATE OF disk, size, state ON shard BEGIN
    UPDATE shard_total SET shards = shards - 1, bytes = bytes - old.size
    WHERE disk = old.disk AND state = old.state;
    INSERT INTO shard_total VALUES (new.disk, new.state, 1, new.size)
    ON CONFLICT DO UPDATE SET shards = shards + 1, bytes = bytes + new.size;
END;
CREATE TABLE claim (
    root BLOB NOT NULL, deal BLOB NOT NULL, segment INTEGER NOT NULL, place INTEGER NOT NULL,
    owner BLOB NOT NULL, PRIMARY KEY (root, deal, segment, place)
) WITHOUT ROWID;
CREATE INDEX claim_deal ON claim (deal);
CREATE TABLE order_use (
    id BLOB PRIMARY KEY, used INTEGER NOT NULL, not_after_epoch INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE plot (
    number INTEGER PRIMARY KEY, disk BLOB NOT NULL, mu BLOB NOT NULL, kappa BLOB NOT NULL,
    gamma BLOB NOT NULL UNIQUE, plot_id BLOB NOT NULL, state TEXT NOT NULL, batch BLOB,
    since_epoch INTEGER NOT NULL, scrubbed INTEGER NOT NULL
);
CREATE TABLE batch (
    id BLOB PRIMARY KEY, unit BLOB NOT NULL, state TEXT NOT NULL, epoch INTEGER NOT NULL,
    answered INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
"""
JOURNAL: Final = Store(
    what="miner's journal",
    application_id=0x43566A6F,  # "CVjo"
    migrations=(SCHEMA,),
    rescue="is its disk full?",
    mend=(
        "start once with --rebuild-journal: it is set aside under another name, and plots, shards "
        "and claims are taken from the disks and the ledger"
    ),
)


@dataclass(slots=True)
class _Job:
    work: Work[Any]
    durable: bool
    result: Future[Any] = field(default_factory=Future)


_Outcome = tuple[_Job, Any, BaseException | None]


class Journal:
    """The open database. `close` finishes what was handed in."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._writer = _whole(path)
        self._reader = open_reader(path, JOURNAL)
        self._reading = threading.Lock()
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def read(self, sql: str, arguments: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query; sees every finished write. Raises StorageError."""
        with self._reading:
            try:
                return self._reader.execute(sql, arguments).fetchall()
            except sqlite3.Error as error:
                raise _unread(self.path, error) from error

    async def write(self, work: Work[T], *, durable: bool = True) -> T:
        """The result of `work` once committed. Raises what it raises, or StorageError."""
        return await asyncio.wrap_future(self._submit(work, durable=durable))

    def write_now(self, work: Work[T], *, durable: bool = True) -> T:
        """Like `write`, for threads and for the start, where no loop runs."""
        return self._submit(work, durable=durable).result()

    def _submit(self, work: Work[T], *, durable: bool) -> Future[T]:
        job = _Job(work, durable)
        self._jobs.put(job)
        return job.result

    @property
    def alive(self) -> bool:
        """Whether its thread still writes."""
        return self._thread.is_alive()

    def close(self) -> None:
        """Finish pending writes and close."""
        self._jobs.put(None)
        self._thread.join()
        self._reader.close()
        self._writer.close()

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            batch, stop = self._gather(job)
            _commit(self._writer, batch)
            if stop:
                return

    def _gather(self, first: _Job) -> tuple[list[_Job], bool]:
        """All that waits by now, and whether the end was among it."""
        batch = [first]
        while len(batch) < _BATCH_MAX and not self._jobs.empty():
            job = self._jobs.get()
            if job is None:
                return batch, True
            batch.append(job)
        return batch, False


def _whole(path: Path) -> sqlite3.Connection:
    """The file, every page of it looked at: damage is told now, not in the middle of work."""
    connection = open_database(path, JOURNAL)
    try:
        [(found,)] = connection.execute("PRAGMA quick_check(1)").fetchall()
    except sqlite3.Error as error:
        connection.close()
        raise _unread(path, error) from error
    if found != "ok":
        connection.close()
        raise damaged(path, JOURNAL, found)
    return connection


def _unread(path: Path, error: sqlite3.Error) -> StorageError:
    """Damage is mended by `--rebuild-journal`; a disk that errs, or somebody's lock, is not."""
    if is_damage(error):
        return damaged(path, JOURNAL, error)
    return StorageError(f"cannot read {JOURNAL.what} {path}: {error}; look at its disk")


def _commit(connection: sqlite3.Connection, batch: list[_Job]) -> None:
    """Run a batch in one transaction and only then tell its callers."""
    try:
        outcomes = _run_all(connection, batch)
    except (StorageError, sqlite3.Error) as error:
        cause = error.__cause__ if isinstance(error, StorageError) else error
        harm = isinstance(cause, Exception) and is_damage(cause)
        failure = StorageError(f"{error}; {JOURNAL.mend if harm else 'free its disk'}")
        outcomes = [(job, None, failure) for job in batch]
    for job, value, problem in outcomes:
        _settle(job, value, problem)


def _run_all(connection: sqlite3.Connection, batch: list[_Job]) -> list[_Outcome]:
    level = "FULL" if any(job.durable for job in batch) else "NORMAL"
    connection.execute(f"PRAGMA synchronous = {level}")
    with transaction(connection, "the miner's journal cannot be written"):
        return [(job, *_attempt(connection, job)) for job in batch]


def _attempt(connection: sqlite3.Connection, job: _Job) -> tuple[Any, BaseException | None]:
    connection.execute("SAVEPOINT job")
    try:
        value = job.work(connection)
    except sqlite3.OperationalError:
        raise  # the disk's trouble: the whole batch fails
    except Exception as error:  # noqa: BLE001 -- handed to its caller; the others are not affected
        connection.execute("ROLLBACK TO job")
        return None, error
    finally:
        connection.execute("RELEASE job")
    return value, None


def _settle(job: _Job, value: object, problem: BaseException | None) -> None:
    if not job.result.set_running_or_notify_cancel():
        return
    if problem is None:
        job.result.set_result(value)
    else:
        job.result.set_exception(problem)
