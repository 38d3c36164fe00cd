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

WAL with `synchronous=FULL`: an acknowledged block survives kill -9 and a power cut.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cybervein_protocol.errors import StorageError

SCHEMA_VERSION = 2
_SCHEMA = """
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
CREATE TABLE batch_of (batch BLOB PRIMARY KEY, miner BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX batch_of_miner ON batch_of (miner);
CREATE TABLE commit_of (deal BLOB PRIMARY KEY, unit BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE deal_of (deal BLOB PRIMARY KEY, owner BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX deal_of_owner ON deal_of (owner);
CREATE TABLE evidence (digest BLOB NOT NULL, unit BLOB NOT NULL, epoch INTEGER NOT NULL,
  PRIMARY KEY (digest, unit)) WITHOUT ROWID;
"""


def _connect(path: Path, *, read_only: bool) -> sqlite3.Connection:
    mode = "ro" if read_only else "rwc"
    try:
        connection = sqlite3.connect(
            f"{path.resolve().as_uri()}?mode={mode}",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
        )
        connection.execute("PRAGMA busy_timeout = 5000")
    except sqlite3.Error as error:
        raise StorageError(f"cannot open {path}: {error}; is the disk mounted?") from error
    return connection


def open_writer(path: Path) -> sqlite3.Connection:
    """The one writing connection; creates the schema in a new file. Raises StorageError."""
    connection = _connect(path, read_only=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA wal_autocheckpoint = 2000")
        _prepare(connection, path)
    except sqlite3.Error as error:
        raise StorageError(f"{path} is not a usable ledger: {error}") from error
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version == 0:
        with transaction(connection):
            for statement in _SCHEMA.split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    elif version != SCHEMA_VERSION:
        raise StorageError(f"{path}: schema {version}, this version reads {SCHEMA_VERSION}")


def open_reader(path: Path) -> sqlite3.Connection:
    """A connection that sees the last committed block and cannot write. Raises StorageError."""
    return _connect(path, read_only=True)


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing. Raises StorageError (disk full, I/O error) after rolling back."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        _roll_back(connection)
        raise StorageError(f"ledger write failed: {error}; nothing was changed") from error
    except BaseException:
        _roll_back(connection)
        raise


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        connection.execute("ROLLBACK")
