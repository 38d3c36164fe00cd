"""What only this super node knows and must not forget: a small SQLite file beside the ledger.

| table | holds                                                    | forgotten              |
|-------|----------------------------------------------------------|------------------------|
| space | space proofs accepted, before `space.result` is final    | two epochs later       |
| grant | miners that PUT orders of an open deal named             | the deal is committed  |
| seen  | the epoch in which a miner last answered an audit        | never                  |
| loss  | shards to rebuild: admitted lost, wrong, or unreachable  | when rebuilt           |
| release | shards that their miner asked to be relieved of        | moved, or taken back   |

Everything here can be lost without breaking the ledger; it only costs somebody a repetition.
"""

import sqlite3
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cybervein_protocol.encoding import decode, encode
from cybervein_protocol.errors import StorageError
from cybervein_protocol.ledger.mining.measurements import SpaceEntry
from cybervein_runtime.database import Store, open_database, transaction
from cybervein_runtime.database_reasons import database_reason

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS space (epoch INTEGER, miner BLOB, entry BLOB NOT NULL,
  PRIMARY KEY (epoch, miner)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS grant (deal BLOB, segment INTEGER, number INTEGER, miner BLOB NOT NULL,
  size INTEGER NOT NULL, epoch INTEGER NOT NULL, PRIMARY KEY (deal, segment, number)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS grant_miner ON grant (miner);
CREATE TABLE IF NOT EXISTS seen (miner BLOB PRIMARY KEY, epoch INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS loss (shard BLOB PRIMARY KEY, miner BLOB NOT NULL, reason TEXT NOT NULL,
  epoch INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS release (shard BLOB PRIMARY KEY, miner BLOB NOT NULL) WITHOUT ROWID;
"""
"""0.1.0 and 0.2.0 wrote no version: their tables are found here, and completed."""
NOTEBOOK: Final = Store(
    what="notebook",
    application_id=0x43566E6F,  # "CVno"
    migrations=(_TABLES,),
    rescue="free some space, or move the file away: a new one costs a few repetitions",
    synchronous="NORMAL",
)
_ENTRY_BYTES_MAX = 4096


@dataclass(frozen=True, slots=True)
class Grant:
    """A place that was promised to a shard of an open deal."""

    segment: int
    index: int
    miner: bytes
    size: int


@dataclass(frozen=True, slots=True)
class Loss:
    """A shard (id of its ledger row) that `miner` does not hold any more, since `epoch`."""

    shard: bytes
    miner: bytes
    reason: str
    epoch: int


class Notebook:
    """Short synchronous writes under one lock, from any thread. Raises StorageError."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._sql = open_database(path, NOTEBOOK)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._sql.close()

    def add_space(self, epoch: int, entry: SpaceEntry) -> None:
        """Keep an accepted space proof's entry; the first of a miner and epoch stays."""
        values = (epoch, entry.miner, encode(entry))
        self._write("INSERT OR IGNORE INTO space VALUES (?, ?, ?)", *values)

    def space(self, epoch: int, miner: bytes | None = None) -> list[SpaceEntry]:
        """Entries of an epoch, of one miner or of all, by miner."""
        where = "" if miner is None else " AND miner = ?"
        values = (epoch,) if miner is None else (epoch, miner)
        query = f"SELECT entry FROM space WHERE epoch = ?{where} ORDER BY miner"  # noqa: S608
        return [
            decode(row[0], SpaceEntry, "space entry", _ENTRY_BYTES_MAX)
            for row in self._read(query, *values)
        ]

    def add_grants(self, deal: bytes, epoch: int, grants: Iterable[Grant]) -> None:
        """Remember where shards of an open deal were sent; the newest promise counts."""
        with self._lock, transaction(self._sql, str(self._path)) as sql:
            sql.executemany(
                "INSERT OR REPLACE INTO grant VALUES (?, ?, ?, ?, ?, ?)",
                [(deal, g.segment, g.index, g.miner, g.size, epoch) for g in grants],
            )

    def grants(self, deal: bytes) -> list[Grant]:
        """Promises of a deal."""
        query = "SELECT segment, number, miner, size FROM grant WHERE deal = ?"
        return [Grant(*row) for row in self._read(query, deal)]

    def promised_bytes(self) -> dict[bytes, int]:
        """Bytes promised at each miner to deals that are still open."""
        return dict(self._read("SELECT miner, SUM(size) FROM grant GROUP BY miner"))

    def promised_shards(self, miner: bytes) -> dict[bytes, int]:
        """Shards promised at a miner, by deal; some of the deals may be over."""
        query = "SELECT deal, COUNT(*) FROM grant WHERE miner = ? GROUP BY deal"
        return dict(self._read(query, miner))

    def forget_deal(self, deal: bytes) -> None:
        """The deal is committed or gone: its promises are kept or void."""
        self._write("DELETE FROM grant WHERE deal = ?", deal)

    def mark_seen(self, miner: bytes, epoch: int) -> None:
        """The miner answered in this epoch."""
        self._write("INSERT OR REPLACE INTO seen VALUES (?, ?)", miner, epoch)

    def last_seen(self) -> dict[bytes, int]:
        """Epoch of each miner's last answer."""
        return dict(self._read("SELECT miner, epoch FROM seen"))

    def add_loss(self, loss: Loss) -> None:
        """A shard to rebuild; the first report stays."""
        values = (loss.shard, loss.miner, loss.reason, loss.epoch)
        self._write("INSERT OR IGNORE INTO loss VALUES (?, ?, ?, ?)", *values)

    def losses(self) -> list[Loss]:
        """Shards to rebuild, longest waiting first."""
        query = "SELECT shard, miner, reason, epoch FROM loss ORDER BY epoch, shard"
        return [Loss(*row) for row in self._read(query)]

    def drop_loss(self, shard: bytes) -> None:
        """Rebuilt, or not wanted any more."""
        self._write("DELETE FROM loss WHERE shard = ?", shard)

    def set_release(self, miner: bytes, shards: Iterable[bytes]) -> None:
        """What a miner asks to be relieved of, instead of what it named before."""
        with self._lock, transaction(self._sql, str(self._path)) as sql:
            sql.execute("DELETE FROM release WHERE miner = ?", (miner,))
            sql.executemany(
                "INSERT OR REPLACE INTO release VALUES (?, ?)", [(s, miner) for s in shards]
            )

    def releases(self) -> dict[bytes, bytes]:
        """Miner by id of each shard that it asks to be relieved of."""
        return dict(self._read("SELECT shard, miner FROM release ORDER BY shard"))

    def drop_release(self, shard: bytes) -> None:
        """The shard has left, or there is nothing to leave."""
        self._write("DELETE FROM release WHERE shard = ?", shard)

    def prune(self, epoch: int, open_epochs: int) -> None:
        """Forget space entries and grants that no duty will read again."""
        self._write("DELETE FROM space WHERE epoch < ?", epoch - 1)
        self._write("DELETE FROM grant WHERE epoch < ?", epoch - open_epochs)

    def _write(self, query: str, *values: object) -> None:
        try:
            with self._lock:
                self._sql.execute(query, values)
        except sqlite3.Error as error:
            why = database_reason(error, self._path.parent)
            raise StorageError(f"{self._path}: {why}; free some space") from error

    def _read(self, query: str, *values: object) -> list[tuple]:  # type: ignore[type-arg] # rows
        with self._lock:
            return self._sql.execute(query, values).fetchall()
