"""Where rows live: a store of bytes below, typed overlays above.

A block executes in one overlay, each unit in another on top of it, so a void unit leaves no trace
and a block reaches the store in one write. Rows are decoded once per block at most; records are
frozen, so layers share them.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping
from typing import Final, Protocol, TypeVar

from cybervein_protocol.encoding import Record
from cybervein_protocol.ledger.state.rows import Table, table_of

R = TypeVar("R", bound=Record)
_CACHE_ROWS_MAX: Final = 1 << 16

ROOT: Final = b"root"
"""The name under which a store keeps the tree's root, beside the nodes: it is no hash."""


class StateStore(Protocol):
    """Committed state: rows by key, and the nodes of the Merkle tree over them by hash.

    The tree's root is kept among the nodes, under the name `ROOT`.
    """

    def get(self, key: bytes) -> bytes | None:
        """The row's bytes."""

    def scan(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """(key, bytes) of every row whose key begins with prefix, ascending by key."""

    def node(self, digest: bytes) -> bytes | None:
        """The bytes of a tree node."""

    def write(
        self, rows: Mapping[bytes, bytes | None], nodes: Mapping[bytes, bytes | None]
    ) -> None:
        """Put (bytes) or delete (None) rows and nodes, all or nothing."""


class MemoryStore:
    """A store in memory: for tests, replay and checking snapshots."""

    def __init__(self) -> None:
        self.rows: dict[bytes, bytes] = {}
        self.nodes: dict[bytes, bytes] = {}
        self._order: list[bytes] = []

    def get(self, key: bytes) -> bytes | None:
        """The row's bytes."""
        return self.rows.get(key)

    def scan(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Rows under a prefix, ascending."""
        at = bisect_left(self._order, prefix)
        while at < len(self._order) and self._order[at].startswith(prefix):
            yield self._order[at], self.rows[self._order[at]]
            at += 1

    def node(self, digest: bytes) -> bytes | None:
        """The bytes of a tree node."""
        return self.nodes.get(digest)

    def write(
        self, rows: Mapping[bytes, bytes | None], nodes: Mapping[bytes, bytes | None]
    ) -> None:
        """Apply both maps."""
        for key, value in rows.items():
            self._index(key, present=value is not None)
        _apply(self.rows, rows)
        _apply(self.nodes, nodes)

    def _index(self, key: bytes, *, present: bool) -> None:
        if present and key not in self.rows:
            insort(self._order, key)
        elif not present and key in self.rows:
            del self._order[bisect_left(self._order, key)]


def _apply(target: dict[bytes, bytes], changes: Mapping[bytes, bytes | None]) -> None:
    for key, value in changes.items():
        if value is None:
            target.pop(key, None)
        else:
            target[key] = value


class View(Protocol):
    """Typed reading, by full row key."""

    def find(self, key: bytes) -> Record | None:
        """The row, or None."""

    def keys(self, prefix: bytes) -> Iterator[bytes]:
        """Row keys under a prefix, ascending."""


class Committed:
    """The typed view of a store, with decoded rows remembered."""

    def __init__(self, store: StateStore) -> None:
        self._store = store
        self._cache: dict[bytes, Record] = {}

    def find(self, key: bytes) -> Record | None:
        """The row, or None."""
        if key in self._cache:
            return self._cache[key]
        data = self._store.get(key)
        if data is None:
            return None
        row = table_of(key).decode(data)
        self._remember(key, row)
        return row

    def keys(self, prefix: bytes) -> Iterator[bytes]:
        """Row keys under a prefix, ascending."""
        return (key for key, _ in self._store.scan(prefix))

    def replace(self, changes: Mapping[bytes, Record | None]) -> None:
        """Remember what was just written to the store."""
        for key, row in changes.items():
            if row is None:
                self._cache.pop(key, None)
            else:
                self._remember(key, row)

    def _remember(self, key: bytes, row: Record) -> None:
        if len(self._cache) >= _CACHE_ROWS_MAX:
            self._cache.clear()
        self._cache[key] = row


class Overlay:
    """Typed changes on top of a view; nothing below changes until `merge`."""

    def __init__(self, below: View) -> None:
        self._below = below
        self.changes: dict[bytes, Record | None] = {}

    def find(self, key: bytes) -> Record | None:
        """The row as this layer sees it, or None."""
        if key in self.changes:
            return self.changes[key]
        return self._below.find(key)

    def keys(self, prefix: bytes) -> Iterator[bytes]:
        """Row keys under a prefix, ascending, as this layer sees them."""
        mine = {key for key in self.changes if key.startswith(prefix)}
        keys = mine.union(self._below.keys(prefix))
        return (key for key in sorted(keys) if self.find(key) is not None)

    def get(self, table: Table[R], identity: bytes) -> R | None:
        """The row of a table, or None."""
        row = self.find(table.key(identity))
        if row is None:
            return None
        assert isinstance(row, table.row)  # noqa: S101 -- a key belongs to one table
        return row

    def put(self, table: Table[R], identity: bytes, row: R) -> None:
        """Set a row."""
        self.changes[table.key(identity)] = row

    def delete(self, table: Table[R], identity: bytes) -> None:
        """Remove a row."""
        self.changes[table.key(identity)] = None

    def scan(self, table: Table[R], prefix: bytes = b"") -> Iterator[tuple[bytes, R]]:
        """(id, row) of a table's rows whose id begins with prefix, ascending by id."""
        cut = len(table.name) + 1
        for key in list(self.keys(table.key(prefix))):
            row = self.find(key)
            assert isinstance(row, table.row)  # noqa: S101 -- as in get
            yield key[cut:], row

    def merge(self, upper: "Overlay") -> None:
        """Take over the changes of the layer above."""
        self.changes.update(upper.changes)
