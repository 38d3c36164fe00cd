"""Tables of the catalogue, by version."""

import sqlite3
from pathlib import Path
from typing import Final

from cybervein_protocol.errors import StorageError
from cybervein_runtime import database

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

_SOURCES: Final = """
CREATE TABLE sources (
    file TEXT PRIMARY KEY REFERENCES files (id) ON DELETE CASCADE,
    size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
    inode INTEGER NOT NULL, ctime_ns INTEGER NOT NULL
) STRICT;
"""
_LIFETIMES: Final = """
ALTER TABLE files ADD COLUMN keep_epochs INTEGER NOT NULL DEFAULT 0;
ALTER TABLE deals ADD COLUMN expires INTEGER;
ALTER TABLE deals ADD COLUMN kib INTEGER;
"""

_SEALED: Final = """
CREATE TABLE sealed (
    file TEXT NOT NULL REFERENCES files (id) ON DELETE CASCADE, number INTEGER NOT NULL,
    salt BLOB NOT NULL, roots BLOB NOT NULL, PRIMARY KEY (file, number)
) STRICT;
CREATE TABLE receipts (
    file TEXT NOT NULL REFERENCES files (id) ON DELETE CASCADE, number INTEGER NOT NULL,
    deal TEXT NOT NULL, place INTEGER NOT NULL, entry BLOB NOT NULL,
    PRIMARY KEY (file, number, deal, place)
) STRICT;
"""


CATALOGUE: Final = database.Store(
    what="catalogue",
    application_id=0x43566361,  # "CVca"
    migrations=(_TABLES, _SOURCES, _LIFETIMES, _SEALED),
    rescue="check the disk, or restore it from a wallet backup",
    mode=0o600,
)


def open_database(path: Path) -> sqlite3.Connection:
    """The database at `path`, created at the first call. Raises StorageError naming it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"catalogue {path}: {error}; {CATALOGUE.rescue}") from error
    return database.open_database(path, CATALOGUE)
