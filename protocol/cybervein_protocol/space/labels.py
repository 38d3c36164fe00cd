"""Labels: what a row holds at each layer.

    header(i, l) = u64le i ‖ u32le l ‖ 20 zero bytes
    layer 0:  label[s] = keyed_hash(key[s], header(i, 0))
    layer l:  label[s] = keyed_hash(key[s], header(i, l) ‖ own ‖ parent_1 ‖ … ‖ parent_7 ‖ chain)

The input of a layer l >= 1 is 320 bytes, five BLAKE3 blocks. The chain label comes last, so that
four of the five blocks can be hashed before it is known.

A row's bytes are word-sliced: 32-bit word w (0..7) of lane s (0..15) lies at byte 64 w + 4 s.
Memory, file and SIMD register then have one layout, and the plotter never transposes.
"""

from collections.abc import Sequence

from blake3 import blake3

from cybervein_protocol.space.shape import LABEL_BYTES, LANES

Labels = tuple[bytes, ...]
"""The 16 labels of one row, lane by lane."""

_WORD = 4
_WORDS = LABEL_BYTES // _WORD
_STRIDE = LANES * _WORD


def header(i: int, layer: int) -> bytes:
    """The 32-byte domain of row i at that layer."""
    return i.to_bytes(8, "little") + layer.to_bytes(4, "little") + bytes(20)


def to_row(labels: Labels) -> bytes:
    """Word-slice 16 labels into the 512 bytes of a row."""
    return b"".join(
        label[_WORD * word : _WORD * (word + 1)] for word in range(_WORDS) for label in labels
    )


def from_row(row: bytes) -> Labels:
    """The 16 labels of a row: the inverse of `to_row`."""
    return tuple(
        b"".join(
            row[_STRIDE * word + _WORD * lane : _STRIDE * word + _WORD * (lane + 1)]
            for word in range(_WORDS)
        )
        for lane in range(LANES)
    )


def first_labels(keys: Sequence[bytes], i: int) -> Labels:
    """Row i at layer 0."""
    return tuple(blake3(header(i, 0), key=key).digest() for key in keys)


def next_labels(keys: Sequence[bytes], i: int, layer: int, inputs: Sequence[Labels]) -> Labels:
    """Row i at a layer l >= 1 from nine rows: own, parents 1 to 7, chain parent."""
    head = header(i, layer)
    return tuple(
        blake3(head + b"".join(row[lane] for row in inputs), key=key).digest()
        for lane, key in enumerate(keys)
    )
