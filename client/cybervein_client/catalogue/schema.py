"""Tables of the catalogue, by version."""

import sqlite3
from pathlib import Path
from typing import Final

from cybervein_protocol.errors import StorageError

VERSION: Final = 1

_TABLES: Final = """
CREATE TABLE files (
    id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, source TEXT NOT NULL,
    size INTEGER, mtime_ns INTEGER, file_key BLOB NOT NULL,
    k INTEGER NOT NULL, n INTEGER NOT NULL, epochs INTEGER NOT NULL,
    state TEXT NOT NULL, cid TEXT, created INTEGER NOT NULL
) STRICT;
CREATE TABLE deals (
    file TEXT NOT NULL REFERENCES files (id) ON DELETE CASCADE, ordinal INTEGER NOT NULL,
    first INTEGER NOT NULL, segments INTEGER NOT NULL, cid TEXT NOT NULL,
    open_unit BLOB NOT NULL, commit_unit BLOB, escrow INTEGER NOT NULL, state TEXT NOT NULL,
    PRIMARY KEY (file, ordinal)
) STRICT;
CREATE TABLE segments (
    file TEXT NOT NULL REFERENCES files (id) ON DELETE CASCADE, number INTEGER NOT NULL,
    salt BLOB NOT NULL, size INTEGER NOT NULL, chunks INTEGER NOT NULL, last INTEGER NOT NULL,
    shards BLOB NOT NULL,
    PRIMARY KEY (file, number)
) STRICT;
CREATE TABLE nodes (
    cid TEXT NOT NULL, file TEXT NOT NULL REFERENCES files (id) ON DELETE CASCADE,
    data BLOB NOT NULL, PRIMARY KEY (file, cid)
) STRICT;
CREATE TABLE holders (
    deal TEXT PRIMARY KEY, data BLOB NOT NULL
) STRICT;
CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
"""


def open_database(path: Path) -> sqlite3.Connection:
    """The database at `path`, created at the first call. Raises StorageError naming it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600, exist_ok=True)
        database = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.execute("PRAGMA foreign_keys = ON")
        _migrate(database, path)
    except (sqlite3.Error, OSError) as error:
        raise StorageError(
            f"catalogue {path}: {error}; check the disk, or restore it from a wallet backup"
        ) from error
    return database


def _migrate(database: sqlite3.Connection, path: Path) -> None:
    database.execute("BEGIN IMMEDIATE")
    (found,) = database.execute("PRAGMA user_version").fetchone()
    if found == 0:
        for statement in filter(str.strip, _TABLES.split(";")):
            database.execute(statement)
        database.execute(f"PRAGMA user_version = {VERSION}")
    database.execute("COMMIT")
    if found not in {0, VERSION}:
        raise StorageError(
            f"catalogue {path} is of version {found}, this program knows {VERSION}; upgrade it"
        )
