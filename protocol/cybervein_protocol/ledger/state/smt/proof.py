"""Proofs that a row is, or is not, under a root."""

from typing import Annotated

import msgspec
from blake3 import blake3

from cybervein_protocol.encoding import Bytes32, Record
from cybervein_protocol.errors import ProofError
from cybervein_protocol.ledger.state.smt.nodes import (
    BRANCH,
    DEPTH_MAX,
    EMPTY,
    HALF,
    LEAF,
    NodeOf,
    bit,
    leaf_key,
    read_node,
    value_hash,
)


class MembershipProof(Record):
    """Siblings from the root down; `other` is the leaf that stands in an absent row's place."""

    siblings: Annotated[list[Bytes32], msgspec.Meta(max_length=DEPTH_MAX)]
    other: Annotated[bytes, msgspec.Meta(max_length=65)]


def prove(root: bytes, row_key: bytes, node_of: NodeOf) -> MembershipProof:
    """The proof that a row is, or is not, in the tree."""
    key, digest = leaf_key(row_key), root
    siblings: list[bytes] = []
    while digest != EMPTY:
        node = read_node(digest, node_of)
        if node[:1] == LEAF:
            return MembershipProof(siblings=siblings, other=b"" if node[1:HALF] == key else node)
        left, right = node[1:HALF], node[HALF:]
        digest, sibling = (right, left) if bit(key, len(siblings)) else (left, right)
        siblings.append(sibling)
    return MembershipProof(siblings=siblings, other=b"")


def verify(root: bytes, row_key: bytes, row: bytes | None, proof: MembershipProof) -> None:
    """Raise ProofError unless the tree of `root` has these bytes (None: nothing) at `row_key`."""
    key = leaf_key(row_key)
    digest = _bottom(key, row, proof.other)
    for depth in range(len(proof.siblings) - 1, -1, -1):
        sibling = proof.siblings[depth]
        pair = sibling + digest if bit(key, depth) else digest + sibling
        digest = blake3(BRANCH + pair).digest()
    if digest != root:
        raise ProofError(
            f"row {row_key[:24]!r}: the proof leads to root {digest.hex()[:16]}, expected "
            f"{root.hex()[:16]}; ask for the proof at this height"
        )


def _bottom(key: bytes, row: bytes | None, other: bytes) -> bytes:
    """Hash of what the proof says stands at the end of the path."""
    if row is not None:
        return blake3(LEAF + key + value_hash(row)).digest()
    if not other:
        return EMPTY
    if len(other) != 65 or other[:1] != LEAF or other[1:HALF] == key:  # noqa: PLR2004 -- a leaf
        raise ProofError("absence proof: the leaf in its place is the row itself or no leaf")
    return blake3(other).digest()
