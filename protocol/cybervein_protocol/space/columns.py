"""Columns: one digest per node over all its layers, so that a few rows prove the whole labelling.

    c_i = 32 zero bytes;  for l = 1..k:  c_i = BLAKE3(header(i, l) ‖ c_i ‖ row i of layer l)
    kappa = BLAKE3(c_0 ‖ … ‖ c_{n-1})

A *column* is the rows of layers 1 to k of one node, 512 k bytes; its digest is checkable from it.
"""

from blake3 import blake3

from cybervein_protocol.space.labels import header
from cybervein_protocol.space.shape import DIGEST_BYTES, ROW_BYTES

EMPTY_DIGEST = bytes(DIGEST_BYTES)


def extend_digest(digest: bytes, i: int, layer: int, row: bytes) -> bytes:
    """c_i after the row of one more layer."""
    return blake3(header(i, layer) + digest + row).digest()


def column_digest(i: int, column: bytes) -> bytes:
    """c_i of a whole column (the rows of layers 1 to k)."""
    digest = EMPTY_DIGEST
    for layer, start in enumerate(range(0, len(column), ROW_BYTES), start=1):
        digest = extend_digest(digest, i, layer, column[start : start + ROW_BYTES])
    return digest
