"""The catalogue's operations: each is one synced transaction.

What segments hold is decoded with the protocol's codecs, imported when a segment is: to list files
takes none.
"""

import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import astuple, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cybervein_protocol.errors import ConflictError, StorageError, UnknownError
from cybervein_runtime.database import transaction
from cybervein_runtime.database_copy import open_copy
from cybervein_runtime.files import writable

from cybervein_client.catalogue.rows import (
    CatalogueDeal,
    DealEnd,
    DealState,
    FileRow,
    FileState,
    SegmentRow,
    SourceFacts,
)
from cybervein_client.catalogue.schema import CATALOGUE, open_database
from cybervein_client.catalogue.sealed import Sealed, column_of, entry_of, unpacked

if TYPE_CHECKING:
    from cybervein_protocol.messages import ShardEntry

_SHARDS_BYTES_MAX = 1 << 20


def _columns(kind: type[Any]) -> str:
    return ", ".join(column.name for column in fields(kind))


class Catalogue:
    """One open catalogue; safe to use from several threads of one process.

    A `read_only` one, in a home that cannot be written, is a copy in memory: memos are forgotten
    with it, everything else is refused.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.read_only = path.parent.is_dir() and not writable(path)
        self._lock = threading.RLock()
        self._database = open_copy(path, CATALOGUE) if self.read_only else open_database(path)

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._database.close()

    @contextmanager
    def _write(self, *, memo: bool = False) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it or none. Raises StorageError on a full or failing disk.

        A `memo` can be asked for again: a catalogue that is only read does without.
        """
        if self.read_only and not memo:
            raise StorageError(f"catalogue {self.path} cannot be written; nothing was changed")
        with self._lock, transaction(self._database, f"catalogue {self.path}") as database:
            yield database

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._database.execute(query, values).fetchall()

    def units(self) -> list[bytes]:
        """A unit of this wallet as it was sent, if there is a deal: it names the network."""
        return [raw for (raw,) in self._rows("SELECT open_unit FROM deals LIMIT 1")]

    # Files

    def add_file(self, row: FileRow, replaces: str | None = None) -> None:
        """Begin a file, in place of file `replaces`. Raises ConflictError if its name is taken."""
        marks = ", ".join("?" * len(fields(FileRow)))
        with self._write() as database:
            if replaces is not None:
                _forget(database, replaces)
            added = database.execute(
                f"INSERT INTO files ({_columns(FileRow)}) VALUES ({marks}) "  # noqa: S608 -- our own column names
                "ON CONFLICT (name) DO NOTHING",
                astuple(row),
            )
        if not added.rowcount:
            raise ConflictError(
                f"a file named {row.name!r} exists; `cybervein rm` it or choose another --name"
            )

    def files(self) -> list[FileRow]:
        """All files, by name."""
        query = f"SELECT {_columns(FileRow)} FROM files ORDER BY name"  # noqa: S608 -- our own column names
        return [_file(row) for row in self._rows(query)]

    def find(self, name: str) -> FileRow | None:
        """The file of that name, if there is one."""
        query = f"SELECT {_columns(FileRow)} FROM files WHERE name = ?"  # noqa: S608 -- our own column names
        rows = self._rows(query, name)
        return _file(rows[0]) if rows else None

    def resolve(self, name_or_cid: str) -> FileRow:
        """The file of that name or CID. Raises UnknownError."""
        query = f"SELECT {_columns(FileRow)} FROM files WHERE name = ? OR cid = ?"  # noqa: S608 -- our own column names
        rows = self._rows(query, name_or_cid, name_or_cid)
        if not rows:
            raise UnknownError(
                f"{name_or_cid!r} is neither a name nor a CID in this catalogue; "
                "`cybervein ls` shows what is stored"
            )
        return _file(rows[0])

    def finish_file(self, file: str, size: int, cid: str, nodes: Mapping[str, bytes]) -> None:
        """All deals of the file are active: record its CID and DAG nodes."""
        with self._write() as database:
            database.execute(
                "UPDATE files SET state = ?, size = ?, cid = ? WHERE id = ?",
                (FileState.STORED, size, cid, file),
            )
            database.executemany(
                "INSERT OR REPLACE INTO nodes (file, cid, data) VALUES (?, ?, ?)",
                [(file, node, data) for node, data in nodes.items()],
            )

    def set_file_state(self, file: str, state: FileState) -> None:
        """Move a file to another state."""
        with self._write() as database:
            database.execute("UPDATE files SET state = ? WHERE id = ?", (state, file))

    def set_epochs(self, file: str, epochs: int) -> None:
        """Record how many epochs are paid for, after a renewal."""
        with self._write() as database:
            database.execute("UPDATE files SET epochs = ? WHERE id = ?", (epochs, file))

    def set_source(self, file: str, facts: SourceFacts) -> None:
        """Record what the file's source is, its bytes being those of the file."""
        with self._write() as database:
            database.execute(
                "INSERT OR REPLACE INTO sources VALUES (?, ?, ?, ?, ?)",
                (file, facts.size, facts.mtime_ns, _signed(facts.inode), facts.ctime_ns),
            )
            database.execute("UPDATE files SET mtime_ns = ? WHERE id = ?", (facts.mtime_ns, file))

    def source(self, file: str) -> SourceFacts | None:
        """What `set_source` recorded; None for files of releases up to 0.2.0, and for streams."""
        rows = self._rows(
            "SELECT size, mtime_ns, inode, ctime_ns FROM sources WHERE file = ?", file
        )
        if not rows:
            return None
        made = SourceFacts(*rows[0])
        return replace(made, inode=made.inode % (1 << 64))

    def set_keep(self, file: str, epochs: int) -> None:
        """Renew the file by so many epochs each time it ends soon; 0 leaves it to end."""
        with self._write() as database:
            database.execute("UPDATE files SET keep_epochs = ? WHERE id = ?", (epochs, file))

    def forget_file(self, file: str) -> None:
        """Remove a file and everything that belongs to it, its key included."""
        with self._write() as database:
            _forget(database, file)

    def node(self, cid: str) -> bytes:
        """An encoded DAG node. Raises UnknownError."""
        rows = self._rows("SELECT data FROM nodes WHERE cid = ? LIMIT 1", cid)
        if not rows:
            raise UnknownError(f"node {cid} is not in this catalogue")
        return bytes(rows[0][0])

    # Deals

    def add_deal(self, row: CatalogueDeal) -> None:
        """Record a signed `deal.open` before it is sent."""
        marks = ", ".join("?" * len(fields(CatalogueDeal)))
        with self._write() as database:
            database.execute(
                f"INSERT OR REPLACE INTO deals ({_columns(CatalogueDeal)}) VALUES ({marks})",  # noqa: S608 -- our own column names
                astuple(row),
            )

    def deals(self, file: str) -> list[CatalogueDeal]:
        """The file's deals, in order of their segments."""
        query = f"SELECT {_columns(CatalogueDeal)} FROM deals WHERE file = ? ORDER BY ordinal"  # noqa: S608 -- our own column names
        return [_deal(row) for row in self._rows(query, file)]

    def set_deal_state(self, row: CatalogueDeal, state: DealState) -> None:
        """Move a deal to another state."""
        with self._write() as database:
            database.execute(
                "UPDATE deals SET state = ? WHERE file = ? AND ordinal = ?",
                (state, row.file, row.ordinal),
            )

    def deal_ends(self, file: str | None = None) -> list[DealEnd]:
        """When the deals of a file, or of all files, end."""
        query = (
            f"SELECT {_columns(DealEnd)} FROM deals "  # noqa: S608 -- our own column names
            "WHERE file = ?1 OR ?1 IS NULL ORDER BY file, ordinal"
        )
        rows = [DealEnd(*row) for row in self._rows(query, file)]
        return [replace(row, state=DealState(row.state)) for row in rows]

    def set_deal_end(self, row: DealEnd) -> None:
        """Record what the ledger says of a deal: its state, when it ends, how much it holds."""
        with self._write(memo=True) as database:
            database.execute(
                "UPDATE deals SET state = ?, expires = ?, kib = ? WHERE file = ? AND ordinal = ?",
                (row.state, row.expires, row.kib, row.file, row.ordinal),
            )

    def set_commit(self, row: CatalogueDeal, unit: bytes) -> None:
        """Record a signed `deal.commit` before it is sent."""
        with self._write() as database:
            database.execute(
                "UPDATE deals SET state = ?, commit_unit = ? WHERE file = ? AND ordinal = ?",
                (DealState.COMMITTING, unit, row.file, row.ordinal),
            )

    def drop_deal(self, row: CatalogueDeal) -> None:
        """Forget a deal that the ledger voided or refunded, and its segments' receipts."""
        with self._write() as database:
            database.execute(
                "DELETE FROM deals WHERE file = ? AND ordinal = ?", (row.file, row.ordinal)
            )
            database.execute(
                "UPDATE segments SET shards = ? WHERE file = ? AND number >= ? AND number < ?",
                (_encoded(()), row.file, row.first, row.first + row.segments),
            )

    # Segments

    def put_segment(self, row: SegmentRow) -> None:
        """Record a segment with the receipts of its shards; how it was sealed is in it now."""
        with self._write() as database:
            for table in ("sealed", "receipts"):
                database.execute(
                    f"DELETE FROM {table} WHERE file = ? AND number = ?",  # noqa: S608 -- our own names
                    (row.file, row.number),
                )
            database.execute(
                "INSERT OR REPLACE INTO segments (file, number, salt, size, chunks, last, shards)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (*_segment_values(row), _encoded(row.shards)),
            )

    def segments(self, file: str) -> list[SegmentRow]:
        """The file's segments, in order."""
        query = f"SELECT {_columns(SegmentRow)} FROM segments WHERE file = ? ORDER BY number"  # noqa: S608 -- our own column names
        return [_segment(row) for row in self._rows(query, file)]

    def put_sealed(self, file: str, sealed: Sealed) -> None:
        """Record how a segment is sealed, before any of it is sent; earlier receipts are void."""
        with self._write() as database:
            database.execute(
                "DELETE FROM receipts WHERE file = ? AND number = ?", (file, sealed.number)
            )
            database.execute(
                "INSERT OR REPLACE INTO sealed VALUES (?, ?, ?, ?)",
                (file, sealed.number, sealed.salt, sealed.packed()),
            )

    def sealed(self, file: str, number: int) -> Sealed | None:
        """How a segment was sealed whose upload has begun."""
        rows = self._rows(
            "SELECT number, salt, roots FROM sealed WHERE file = ? AND number = ?", file, number
        )
        return unpacked(*rows[0]) if rows else None

    def put_receipt(
        self, file: str, number: int, deal: str, index: int, entry: "ShardEntry"
    ) -> None:
        """Record that a miner has a shard of a segment whose upload has begun."""
        with self._write() as database:
            database.execute(
                "INSERT OR REPLACE INTO receipts VALUES (?, ?, ?, ?, ?)",
                (file, number, deal, index, column_of(entry)),
            )

    def receipts(self, file: str, number: int, deal: str) -> "dict[int, ShardEntry]":
        """The receipts of such a segment in that deal, by index."""
        rows = self._rows(
            "SELECT place, entry FROM receipts WHERE file = ? AND number = ? AND deal = ?",
            *(file, number, deal),
        )
        return {place: entry_of(entry) for place, entry in rows}

    # Last known holders and other facts

    def save_fact(self, key: str, data: bytes) -> None:
        """Remember something about the whole catalogue."""
        with self._write(memo=True) as database:
            database.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, data))

    def fact(self, key: str) -> bytes | None:
        """What `save_fact` remembered."""
        rows = self._rows("SELECT value FROM meta WHERE key = ?", key)
        return bytes(rows[0][0]) if rows else None

    def save_holders(self, deal: str, data: bytes) -> None:
        """Remember who held the deal's shards when the super node was last asked."""
        with self._write(memo=True) as database:
            database.execute("INSERT OR REPLACE INTO holders VALUES (?, ?)", (deal, data))

    def holders(self, deal: str) -> bytes | None:
        """What `save_holders` remembered."""
        rows = self._rows("SELECT data FROM holders WHERE deal = ?", deal)
        return bytes(rows[0][0]) if rows else None

    def snapshot(self) -> bytes:
        """The whole catalogue as one consistent database image."""
        copy = sqlite3.connect(":memory:")
        with self._lock:
            self._database.backup(copy)
        return copy.serialize()


def _signed(inode: int) -> int:
    """An inode is u64, an integer of SQLite i64."""
    return inode - (1 << 64) if inode >= 1 << 63 else inode


def _forget(database: sqlite3.Connection, file: str) -> None:
    database.execute(
        "DELETE FROM holders WHERE deal IN (SELECT cid FROM deals WHERE file = ?)", (file,)
    )
    database.execute("DELETE FROM files WHERE id = ?", (file,))


def _file(row: tuple[Any, ...]) -> FileRow:
    made = FileRow(*row)
    return replace(made, state=FileState(made.state))


def _deal(row: tuple[Any, ...]) -> CatalogueDeal:
    made = CatalogueDeal(*row)
    return replace(made, state=DealState(made.state))


def _segment_values(row: SegmentRow) -> tuple[object, ...]:
    return (row.file, row.number, row.salt, row.size, row.chunks, int(row.last))


def _encoded(shards: "tuple[ShardEntry, ...]") -> bytes:
    from cybervein_protocol.encoding import encode  # noqa: PLC0415 -- see the module

    return encode(list(shards))


def _segment(row: tuple[Any, ...]) -> SegmentRow:
    from cybervein_protocol.encoding import decode  # noqa: PLC0415 -- see the module
    from cybervein_protocol.messages import ShardEntry  # noqa: PLC0415

    file, number, salt, size, chunks, last, encoded = row
    shards = decode(encoded, list[ShardEntry], "catalogue: shards", _SHARDS_BYTES_MAX)
    return SegmentRow(
        file=file,
        number=number,
        salt=salt,
        size=size,
        chunks=chunks,
        last=bool(last),
        shards=tuple(shards),
    )
