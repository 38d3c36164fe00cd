"""The one way to open SQLite: a store names its file's kind and the migrations that lead to today.

`user_version` is the number of migrations that a file has been through, `application_id` says whose
it is (0 in files that were made before stores had one). Each migration is one transaction together
with its new number, so a crash in the middle of an upgrade leaves the file as it was, and the next
start does that step again. A file of a newer release is refused before anything is written to it.

WAL keeps readers and the one writer apart; with `synchronous = FULL` an acknowledged write survives
kill -9 and a power cut.
"""

import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from cybervein_protocol.errors import StorageError

from cybervein_runtime.database_reasons import database_reason, folder_of

BUSY_SECONDS: Final = 30.0
Migration = str | Callable[[sqlite3.Connection], None]
"""SQL statements, or a function for what SQL alone cannot say; never commits."""


class DamagedError(StorageError):
    """A file whose bytes are no database, or no whole one: opening it again will not help."""


@dataclass(frozen=True, slots=True)
class Store:
    """A kind of file. `migrations[i]` leads from version i to i + 1; released ones never change.

    `rescue` is what its owner can do about a file that cannot be opened, `mend` about damage.
    """

    what: str
    application_id: int
    migrations: tuple[Migration, ...]
    rescue: str
    synchronous: Literal["FULL", "NORMAL"] = "FULL"
    mode: int = 0o644
    mend: str = ""

    @property
    def version(self) -> int:
        """What this release writes."""
        return len(self.migrations)


def open_database(path: Path, store: Store) -> sqlite3.Connection:
    """A writing connection, the file made or upgraded first. Raises StorageError naming it."""
    try:
        with _alone_in(path.parent):
            _create(path, store.mode)
            return _opened(path, store)
    except (OSError, sqlite3.Error) as error:
        if is_damage(error):
            raise damaged(path, store, error) from error
        why = database_reason(error, path.parent) if isinstance(error, sqlite3.Error) else error
        raise StorageError(f"cannot open {store.what} {path}: {why}; {store.rescue}") from error


def is_damage(error: Exception) -> bool:
    """Whether the file's bytes are at fault, not its disk or somebody who holds it."""
    return isinstance(error, sqlite3.DatabaseError) and not isinstance(
        error, sqlite3.OperationalError | sqlite3.IntegrityError | sqlite3.ProgrammingError
    )


def damaged(path: Path, store: Store, why: object) -> DamagedError:
    """What is wrong with the file, and what its owner can do."""
    return DamagedError(
        f"cannot open {store.what} {path}: it is damaged ({why}); {store.mend or store.rescue}"
    )


def _opened(path: Path, store: Store) -> sqlite3.Connection:
    connection = connect(path, "rw")
    try:
        _check(connection, path, store)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {store.synchronous}")
        connection.execute("PRAGMA foreign_keys = ON")
        upgrade(connection, path, store)
    except BaseException:
        connection.close()
        raise
    return connection


def open_reader(path: Path, store: Store) -> sqlite3.Connection:
    """A connection that sees what is committed and cannot write. Raises StorageError.

    Where nothing can be written nobody writes meanwhile, and SQLite needs no file of its own.
    """
    kept = not os.access(path.parent, os.W_OK) and not has_log(path)
    try:
        return connect(path, "ro&immutable=1" if kept else "ro")
    except sqlite3.Error as error:
        raise StorageError(f"cannot open {store.what} {path}: {error}; {store.rescue}") from error


def beside(path: Path) -> tuple[Path, Path]:
    """A file's log and the log's index."""
    return path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")


def has_log(path: Path) -> bool:
    """Whether something is committed to the log alone."""
    log, _ = beside(path)
    return log.exists() and log.stat().st_size > 0


def upgrade(connection: sqlite3.Connection, path: Path, store: Store) -> None:
    """Run the migrations that the file has not been through. Raises StorageError."""
    while _check(connection, path, store) < store.version:
        with transaction(connection, f"{store.what} {path} cannot be upgraded"):
            found = _check(connection, path, store)  # another process may be upgrading, too
            if found < store.version:
                _run(connection, store.migrations[found])
                connection.execute(f"PRAGMA user_version = {found + 1}")
    if not _pragma(connection, "application_id"):
        with suppress(sqlite3.Error):  # a full disk is no reason to refuse a file that is current
            connection.execute(f"PRAGMA application_id = {store.application_id}")


@contextmanager
def transaction(connection: sqlite3.Connection, what: str) -> Iterator[sqlite3.Connection]:
    """All or nothing. Raises StorageError (disk full, I/O error) after rolling back."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield connection
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        _roll_back(connection)
        why = database_reason(error, folder_of(connection))
        raise StorageError(f"{what}: {why}; nothing was changed") from error
    except BaseException:
        _roll_back(connection)
        raise


def statements(sql: str) -> Iterator[str]:
    """The statements of a script one by one: `executescript` would commit before the first."""
    pending = ""
    for piece in sql.strip().removesuffix(";").split(";"):
        pending += piece + ";"
        if sqlite3.complete_statement(pending):  # a trigger's body has semicolons of its own
            yield pending
            pending = ""


@contextmanager
def _alone_in(directory: Path) -> Iterator[None]:
    """One at a time: SQLite does not wait for others when it changes a file to WAL.

    The directory is locked, not the file: closing a second handle would end SQLite's own locks.
    """
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _create(path: Path, mode: int) -> None:
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode))


def connect(path: Path, mode: str) -> sqlite3.Connection:
    """A connection in SQLite's `mode`, which other options may follow."""
    return sqlite3.connect(
        f"{path.resolve().as_uri()}?mode={mode}",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )


def _check(connection: sqlite3.Connection, path: Path, store: Store) -> int:
    """The file's version. Raises StorageError for another store's file and for a newer version."""
    owner, found = _pragma(connection, "application_id"), _pragma(connection, "user_version")
    if owner not in {0, store.application_id}:
        raise StorageError(
            f"{path} is not the {store.what}: its application id is {owner:#010x}, expected "
            f"{store.application_id:#010x}; give the right directory"
        )
    if found > store.version:
        raise StorageError(
            f"{store.what} {path} is of version {found}, this release knows versions up to "
            f"{store.version}; nothing was changed: install the newer release again"
        )
    return found


def _run(connection: sqlite3.Connection, migration: Migration) -> None:
    if callable(migration):
        migration(connection)
        return
    for statement in statements(migration):
        connection.execute(statement)


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        connection.execute("ROLLBACK")
