"""What the tree is made of: leaf keys, hashes, and nodes as a store has them."""

from collections.abc import Callable
from typing import Final

from blake3 import blake3

from cybervein_protocol.errors import StorageError

EMPTY: Final = bytes(32)
LEAF: Final = b"\x00"
BRANCH: Final = b"\x01"
DEPTH_MAX: Final = 256
HALF: Final = 33  # a branch is tag, 32 bytes left, 32 bytes right

NodeOf = Callable[[bytes], bytes | None]
"""The bytes of a stored node by its hash."""


def leaf_key(row_key: bytes) -> bytes:
    """The path of a row."""
    return blake3(row_key).digest()


def value_hash(row: bytes) -> bytes:
    """The hash of a row's bytes."""
    return blake3(row).digest()


def bit(key: bytes, depth: int) -> int:
    """The bit of a path that chooses the half at a depth: 0 left, 1 right."""
    return key[depth >> 3] >> (7 - (depth & 7)) & 1


def read_node(digest: bytes, node_of: NodeOf) -> bytes:
    """A stored node. Raises StorageError if it is missing or not what its hash says."""
    node = node_of(digest)
    if node is None or blake3(node).digest() != digest:
        raise StorageError(
            f"state tree: node {digest.hex()[:16]} is missing or damaged; replay the chain"
        )
    return node
