"""Compact sparse Merkle tree: one root over all rows, cost by what changes.

The tree's path to a row is the bits of `leaf key = BLAKE3(row key)`, highest first. A subtree with
no row is 32 zero bytes, with one row it is that row's leaf, so the depth grows with the logarithm
of the number of rows, not with the 256 bits of a key.

    leaf   = BLAKE3(00 ‖ leaf key ‖ BLAKE3(row bytes))
    branch = BLAKE3(01 ‖ left ‖ right)

Nodes are kept by their hash. Two nodes with one hash hold the same leaves and so stand in the same
place: a replaced node can be forgotten. The shape depends on the rows alone, not on their history.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Final

import msgspec
from blake3 import blake3

from cybervein_protocol.encoding import Bytes32, Record
from cybervein_protocol.errors import ProofError, StorageError

EMPTY: Final = bytes(32)
_LEAF: Final = b"\x00"
_BRANCH: Final = b"\x01"
_DEPTH_MAX: Final = 256
_HALF: Final = 33  # a branch is tag, 32 bytes left, 32 bytes right

NodeOf = Callable[[bytes], bytes | None]
"""The bytes of a stored node by its hash."""

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


class MembershipProof(Record):
    """Siblings from the root down; `other` is the leaf that stands in an absent row's place."""

    siblings: Annotated[list[Bytes32], msgspec.Meta(max_length=_DEPTH_MAX)]
    other: Annotated[bytes, msgspec.Meta(max_length=65)]


def leaf_key(row_key: bytes) -> bytes:
    """The path of a row."""
    return blake3(row_key).digest()


def value_hash(row: bytes) -> bytes:
    """The hash of a row's bytes."""
    return blake3(row).digest()


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


def _bit(key: bytes, depth: int) -> int:
    return key[depth >> 3] >> (7 - (depth & 7)) & 1


def _split(changes: list[Change], depth: int) -> tuple[list[Change], list[Change]]:
    """Changes whose next bit is 0, and 1. They are sorted by key, so this is one cut."""
    cut = next((i for i, (key, _) in enumerate(changes) if _bit(key, depth)), len(changes))
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
        if node[:1] == _LEAF:
            return self._build(_over_leaf(node, changes), depth)
        left, right = _split(changes, depth)
        return self._join(
            self.apply(node[1:_HALF], left, depth + 1), self.apply(node[_HALF:], right, depth + 1)
        )

    def _build(self, leaves: list[Change], depth: int) -> bytes:
        """A fresh subtree of these rows."""
        if not leaves:
            return EMPTY
        if len(leaves) == 1:
            key, value = leaves[0]
            return self._put(_LEAF + key + (value or b""))
        left, right = _split(leaves, depth)
        return self._join(self._build(left, depth + 1), self._build(right, depth + 1))

    def _join(self, left: bytes, right: bytes) -> bytes:
        """A branch, or the only leaf below it moved up."""
        if left == EMPTY and (right == EMPTY or self._is_leaf(right)):
            return right
        if right == EMPTY and self._is_leaf(left):
            return left
        return self._put(_BRANCH + left + right)

    def _is_leaf(self, digest: bytes) -> bool:
        return self._read(digest)[:1] == _LEAF

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


def read_node(digest: bytes, node_of: NodeOf) -> bytes:
    """A stored node. Raises StorageError if it is missing or not what its hash says."""
    node = node_of(digest)
    if node is None or blake3(node).digest() != digest:
        raise StorageError(
            f"state tree: node {digest.hex()[:16]} is missing or damaged; replay the chain"
        )
    return node


def _over_leaf(leaf: bytes, changes: list[Change]) -> list[Change]:
    """A leaf and the changes on top of it, as the rows that remain."""
    rows: dict[bytes, bytes | None] = {leaf[1:_HALF]: leaf[_HALF:]}
    rows.update(changes)
    return [(key, value) for key, value in sorted(rows.items()) if value is not None]


def prove(root: bytes, row_key: bytes, node_of: NodeOf) -> MembershipProof:
    """The proof that a row is, or is not, in the tree."""
    key, digest = leaf_key(row_key), root
    siblings: list[bytes] = []
    while digest != EMPTY:
        node = read_node(digest, node_of)
        if node[:1] == _LEAF:
            return MembershipProof(siblings=siblings, other=b"" if node[1:_HALF] == key else node)
        left, right = node[1:_HALF], node[_HALF:]
        digest, sibling = (right, left) if _bit(key, len(siblings)) else (left, right)
        siblings.append(sibling)
    return MembershipProof(siblings=siblings, other=b"")


def verify(root: bytes, row_key: bytes, row: bytes | None, proof: MembershipProof) -> None:
    """Raise ProofError unless the tree of `root` has these bytes (None: nothing) at `row_key`."""
    key = leaf_key(row_key)
    digest = _bottom(key, row, proof.other)
    for depth in range(len(proof.siblings) - 1, -1, -1):
        sibling = proof.siblings[depth]
        pair = sibling + digest if _bit(key, depth) else digest + sibling
        digest = blake3(_BRANCH + pair).digest()
    if digest != root:
        raise ProofError(
            f"row {row_key[:24]!r}: the proof leads to root {digest.hex()[:16]}, expected "
            f"{root.hex()[:16]}; ask for the proof at this height"
        )


def _bottom(key: bytes, row: bytes | None, other: bytes) -> bytes:
    """Hash of what the proof says stands at the end of the path."""
    if row is not None:
        return blake3(_LEAF + key + value_hash(row)).digest()
    if not other:
        return EMPTY
    if len(other) != 65 or other[:1] != _LEAF or other[1:_HALF] == key:  # noqa: PLR2004 -- a leaf
        raise ProofError("absence proof: the leaf in its place is the row itself or no leaf")
    return blake3(other).digest()
