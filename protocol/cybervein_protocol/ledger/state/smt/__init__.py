"""Compact sparse Merkle tree: one root over all rows, cost by what changes.

The tree's path to a row is the bits of `leaf key = BLAKE3(row key)`, highest first. A subtree with
no row is 32 zero bytes, with one row it is that row's leaf, so the depth grows with the logarithm
of the number of rows, not with the 256 bits of a key.

    leaf   = BLAKE3(00 ‖ leaf key ‖ BLAKE3(row bytes))
    branch = BLAKE3(01 ‖ left ‖ right)

Nodes are kept by their hash. Two nodes with one hash hold the same leaves and so stand in the same
place: a replaced node can be forgotten. The shape depends on the rows alone, not on their history.
"""

from cybervein_protocol.ledger.state.smt.nodes import EMPTY, NodeOf, leaf_key, read_node, value_hash
from cybervein_protocol.ledger.state.smt.proof import MembershipProof, prove, verify
from cybervein_protocol.ledger.state.smt.update import Change, TreeChange, root_of, update

__all__ = [
    "EMPTY",
    "Change",
    "MembershipProof",
    "NodeOf",
    "TreeChange",
    "leaf_key",
    "prove",
    "read_node",
    "root_of",
    "update",
    "value_hash",
    "verify",
]
