"""The state machine's `Store` over a SQLite connection, and typed reading of the same rows."""

import sqlite3
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TypeVar

from cybervein_protocol.encoding import Record
from cybervein_protocol.ledger.state.rows import Table

R = TypeVar("R", bound=Record)
_DECODED_ROWS_MAX = 1 << 14


class RowStore:
    """Rows and tree nodes; the caller owns the transaction around `write`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def get(self, key: bytes) -> bytes | None:
        """The row's bytes, or None."""
        return self._value("SELECT value FROM state WHERE key = ?", key)

    def node(self, digest: bytes) -> bytes | None:
        """The bytes of a tree node, or None."""
        return self._value("SELECT value FROM node WHERE digest = ?", digest)

    def scan(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """(key, bytes) of every row whose key begins with `prefix`, ascending by key."""
        rows = self._connection.execute(
            "SELECT key, value FROM state WHERE key >= ? AND key < ? ORDER BY key",
            (prefix, _after(prefix)),
        )
        yield from rows.fetchall()

    def write(
        self, rows: Mapping[bytes, bytes | None], nodes: Mapping[bytes, bytes | None]
    ) -> None:
        """Put (bytes) or delete (None) rows and nodes."""
        self._apply("state", "key", rows)
        self._apply("node", "digest", nodes)

    def _value(self, query: str, key: bytes) -> bytes | None:
        row = self._connection.execute(query, (key,)).fetchone()
        return None if row is None else row[0]

    def _apply(self, table: str, column: str, changes: Mapping[bytes, bytes | None]) -> None:
        gone = [(key,) for key, value in changes.items() if value is None]
        kept = [(key, value) for key, value in changes.items() if value is not None]
        delete = f"DELETE FROM {table} WHERE {column} = ?"  # noqa: S608 -- constant names
        insert = f"INSERT OR REPLACE INTO {table} VALUES (?, ?)"  # noqa: S608 -- constant names
        self._connection.executemany(delete, gone)
        self._connection.executemany(insert, kept)


class TypedRows:
    """Committed rows as records."""

    def __init__(self, store: RowStore) -> None:
        self._store = store

    def find(self, table: Table[R], identity: bytes) -> R | None:
        """The row of that id, or None."""
        data = self._store.get(table.key(identity))
        return None if data is None else _decoded(table, data)

    def scan(self, table: Table[R], prefix: bytes = b"") -> Iterator[tuple[bytes, R]]:
        """(id, row) of rows whose id begins with `prefix`, ascending."""
        cut = len(table.name) + 1
        for key, data in self._store.scan(table.key(prefix)):
            yield key[cut:], _decoded(table, data)


@lru_cache(maxsize=_DECODED_ROWS_MAX)
def _decode(table: Table[Record], data: bytes) -> Record:
    """Records are frozen and follow from the bytes alone, so remembering them is safe."""
    return table.decode(data)


def _decoded(table: Table[R], data: bytes) -> R:
    row = _decode(table, data)
    assert isinstance(row, table.row)  # noqa: S101 -- a table decodes its own record
    return row


def _after(prefix: bytes) -> bytes:
    """The first key after all that begin with `prefix` (which starts with a table's name)."""
    trimmed = prefix.rstrip(b"\xff")
    return trimmed[:-1] + bytes([trimmed[-1] + 1])
