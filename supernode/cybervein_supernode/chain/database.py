"""The ledger's SQLite file: one writer, readers apart, a finalized block in one transaction.

| table        | holds                                                                |
|--------------|----------------------------------------------------------------------|
| state        | rows of the state machine, by key                                    |
| node         | nodes of the Merkle tree over them, by hash                          |
| block        | engine blocks by height, as signed                                   |
| unit         | units by id with their place in the chain and, for voids, the code    |
| epoch_block  | CyberVein blocks by index, and what closing the epoch paid           |
| shard_at     | which miner holds which shard row (an index of `state`)               |
| plot_at      | which plot id belongs to which plot row and miner (likewise)          |
| batch_of     | which plot batches a miner has (likewise)                             |
| commit_of    | the `deal.commit` unit of a deal: roots and sealed repair keys        |
| deal_of      | which deals an owner has (likewise)                                   |
| evidence     | evidence digests by unit, with the epoch they belong to               |

The file is opened as every store is (`cybervein_runtime.database`): an acknowledged block survives
kill -9 and a power cut.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from cybervein_protocol.errors import StorageError
from cybervein_protocol.ledger.state.rows import BATCHES
from cybervein_runtime import database

_TABLES: Final = """
CREATE TABLE state (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE node (digest BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE block (height INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, units INTEGER NOT NULL,
  bytes BLOB NOT NULL);
CREATE INDEX block_epoch ON block (epoch);
CREATE TABLE unit (id BLOB NOT NULL UNIQUE, height INTEGER NOT NULL, position INTEGER NOT NULL,
  kind TEXT NOT NULL, issuer BLOB NOT NULL, code TEXT NOT NULL, reason TEXT NOT NULL,
  bytes BLOB NOT NULL);
CREATE UNIQUE INDEX unit_place ON unit (height, position);
CREATE INDEX unit_issuer ON unit (issuer, height);
CREATE TABLE epoch_block (number INTEGER PRIMARY KEY, height INTEGER NOT NULL,
  bytes BLOB NOT NULL, closed BLOB NOT NULL);
CREATE TABLE shard_at (key BLOB PRIMARY KEY, miner BLOB NOT NULL, root BLOB NOT NULL)
  WITHOUT ROWID;
CREATE INDEX shard_at_miner ON shard_at (miner);
CREATE INDEX shard_at_root ON shard_at (root);
CREATE TABLE plot_at (plot_id BLOB PRIMARY KEY, mu BLOB NOT NULL UNIQUE, miner BLOB NOT NULL)
  WITHOUT ROWID;
CREATE INDEX plot_at_miner ON plot_at (miner);
CREATE TABLE commit_of (deal BLOB PRIMARY KEY, unit BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE deal_of (deal BLOB PRIMARY KEY, owner BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX deal_of_owner ON deal_of (owner);
CREATE TABLE evidence (digest BLOB NOT NULL, unit BLOB NOT NULL, epoch INTEGER NOT NULL,
  PRIMARY KEY (digest, unit)) WITHOUT ROWID;
"""
_BATCHES: Final = """
CREATE TABLE batch_of (batch BLOB PRIMARY KEY, miner BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX batch_of_miner ON batch_of (miner);
"""


def _index_batches(connection: sqlite3.Connection) -> None:
    """Version 2: batches by miner, from the state rows that version 1 has."""
    for statement in database.statements(_BATCHES):
        connection.execute(statement)
    prefix = BATCHES.key(b"")
    rows = connection.execute(
        "SELECT key, value FROM state WHERE substr(key, 1, ?) = ?", (len(prefix), prefix)
    )
    miners = [(key[len(prefix) :], BATCHES.decode(value).miner) for key, value in rows]
    connection.executemany("INSERT INTO batch_of VALUES (?, ?)", miners)


_RULES_2: Final = ""
"""Version 3 changes no table: blocks of rules 2 follow, which earlier releases cannot execute, so
they refuse the file by its version instead of calling it damaged."""
_PLOT_PAGES: Final = """
DROP INDEX plot_at_miner;
CREATE INDEX plot_at_miner ON plot_at (miner, mu);
"""
"""Version 4: a page of a miner's plots is read from its place on, where all were sorted for each.
Tables whose key is what they are listed by need no such: their indexes end with that key."""


LEDGER: Final = database.Store(
    what="ledger",
    application_id=0x43566C65,  # "CVle"
    migrations=(_TABLES, _index_batches, _RULES_2, _PLOT_PAGES),
    rescue="is the disk mounted? A damaged file is replaced by a backup, or by replaying an export",
)


def open_writer(path: Path) -> sqlite3.Connection:
    """The one writing connection; makes or upgrades the file. Raises StorageError."""
    connection = database.open_database(path, LEDGER)
    connection.execute("PRAGMA wal_autocheckpoint = 2000")
    return connection


def open_reader(path: Path) -> sqlite3.Connection:
    """A connection that sees the last committed block and cannot write. Raises StorageError."""
    return database.open_reader(path, LEDGER)


def last_units(path: Path) -> list[bytes]:
    """The newest unit as it was sent, if there is a chain that can be read; changes nothing."""
    if not path.exists():
        return []
    try:
        with closing(open_reader(path)) as connection:
            query = "SELECT bytes FROM unit ORDER BY height DESC, position DESC LIMIT 1"
            return [raw for (raw,) in connection.execute(query)]
    except (StorageError, sqlite3.Error):
        return []  # who opens it for writing says what is wrong


class Readers:
    """Reading connections, one for each thread: SQLite's must not be shared between two."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()

    @property
    def connection(self) -> sqlite3.Connection:
        """This thread's, opened when first needed. Raises StorageError."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = open_reader(self._path)
        return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing. Raises StorageError (disk full, I/O error) after rolling back."""
    with database.transaction(connection, "the ledger cannot be written"):
        yield
