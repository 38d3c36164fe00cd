"""Changing rows: only what lies on the way to them is hashed again."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from blake3 import blake3

from cybervein_protocol.ledger.state.smt.nodes import (
    BRANCH,
    EMPTY,
    HALF,
    LEAF,
    NodeOf,
    bit,
    leaf_key,
    read_node,
    value_hash,
)

Change = tuple[bytes, bytes | None]
"""Leaf key, and the hash of the row's new bytes or None to remove it."""


@dataclass(slots=True)
class TreeChange:
    """A new root, the nodes to store and the nodes that nothing refers to any more."""

    root: bytes
    added: dict[bytes, bytes] = field(default_factory=dict)
    removed: set[bytes] = field(default_factory=set)

    def nodes(self) -> dict[bytes, bytes | None]:
        """What to write: bytes to put, None to delete, in a defined order."""
        gone: dict[bytes, bytes | None] = dict.fromkeys(sorted(self.removed - self.added.keys()))
        return gone | self.added


def update(root: bytes, rows: Mapping[bytes, bytes | None], node_of: NodeOf) -> TreeChange:
    """The tree after putting (bytes) and removing (None) rows by row key."""
    changes = sorted(
        (leaf_key(key), None if row is None else value_hash(row)) for key, row in rows.items()
    )
    tree = _Tree(node_of, TreeChange(root))
    tree.change.root = tree.apply(root, changes, 0)
    return tree.change


def root_of(rows: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The root over all rows, from nothing: what a restored snapshot is checked by."""
    return update(EMPTY, dict(rows), lambda _: None).root


def _split(changes: list[Change], depth: int) -> tuple[list[Change], list[Change]]:
    """Changes whose next bit is 0, and 1. They are sorted by key, so this is one cut."""
    cut = next((i for i, (key, _) in enumerate(changes) if bit(key, depth)), len(changes))
    return changes[:cut], changes[cut:]


@dataclass(slots=True)
class _Tree:
    """One batch of changes on its way down and its new nodes on their way up."""

    node_of: NodeOf
    change: TreeChange

    def apply(self, digest: bytes, changes: list[Change], depth: int) -> bytes:
        """The subtree's hash after changes that are all below it."""
        if not changes:
            return digest
        if digest == EMPTY:
            return self._build([entry for entry in changes if entry[1] is not None], depth)
        node = self._take(digest)
        if node[:1] == LEAF:
            return self._build(_over_leaf(node, changes), depth)
        left, right = _split(changes, depth)
        return self._join(
            self.apply(node[1:HALF], left, depth + 1), self.apply(node[HALF:], right, depth + 1)
        )

    def _build(self, leaves: list[Change], depth: int) -> bytes:
        """A fresh subtree of these rows."""
        if not leaves:
            return EMPTY
        if len(leaves) == 1:
            key, value = leaves[0]
            return self._put(LEAF + key + (value or b""))
        left, right = _split(leaves, depth)
        return self._join(self._build(left, depth + 1), self._build(right, depth + 1))

    def _join(self, left: bytes, right: bytes) -> bytes:
        """A branch, or the only leaf below it moved up."""
        if left == EMPTY and (right == EMPTY or self._is_leaf(right)):
            return right
        if right == EMPTY and self._is_leaf(left):
            return left
        return self._put(BRANCH + left + right)

    def _is_leaf(self, digest: bytes) -> bool:
        return self._read(digest)[:1] == LEAF

    def _put(self, node: bytes) -> bytes:
        digest = blake3(node).digest()
        self.change.added[digest] = node
        return digest

    def _take(self, digest: bytes) -> bytes:
        """A node that its successor replaces."""
        node = self._read(digest)
        self.change.removed.add(digest)
        return node

    def _read(self, digest: bytes) -> bytes:
        return self.change.added.get(digest) or read_node(digest, self.node_of)


def _over_leaf(leaf: bytes, changes: list[Change]) -> list[Change]:
    """A leaf and the changes on top of it, as the rows that remain."""
    rows: dict[bytes, bytes | None] = {leaf[1:HALF]: leaf[HALF:]}
    rows.update(changes)
    return [(key, value) for key, value in sorted(rows.items()) if value is not None]
