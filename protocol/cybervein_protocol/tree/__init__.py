"""The BLAKE3 tree: every commitment is a plain BLAKE3 hash, every opening a Bao slice of it.

`b3sum FILE` shows any root, and the public `bao` crate checks any slice. Plots, column files,
shards, audits, verified range reads and bandwidth tests all use this one primitive.

| module | what it specifies |
|---|---|
| `shape` | sizes and positions in the tree of `size` bytes: arithmetic only |
| `compression` | BLAKE3's compression, chunks and parents, to be read beside the paper |
| `hasher` | the root and the in-order outboard of a stream |
| `growing` | a root that is continued from what was stored of it |
| `slices` | Bao slices: extraction and verification |

The functions here run the native code where there is some, else the specification; the bytes are
the same. Reading files is not the protocol's business: `cybervein_native` has `SliceSource`,
`extract_slice`, `extract_slices` and `file_root_and_outboard` for it.
"""

from collections.abc import Callable
from typing import Protocol

from cybervein_protocol.native import native
from cybervein_protocol.tree import hasher as _hasher
from cybervein_protocol.tree import slices as _slices
from cybervein_protocol.tree.growing import GrowingTree
from cybervein_protocol.tree.shape import (
    CHUNK,
    GROUP,
    PARENT,
    chunk_count,
    outboard_size,
    size_of_slice,
    slice_window,
)
from cybervein_protocol.tree.slices import OutboardError, SliceError, bounded_range

__all__ = [
    "CHUNK",
    "GROUP",
    "PARENT",
    "GrowingTree",
    "OutboardError",
    "SliceError",
    "StreamHasher",
    "chunk_count",
    "new_hasher",
    "outboard",
    "outboard_size",
    "root_and_outboard",
    "size_of_slice",
    "slice_of",
    "slice_window",
    "verify_slice",
]


class StreamHasher(Protocol):
    """Root and outboard of a stream; `finalize` may be called once."""

    def update(self, data: bytes, /) -> None:
        """Append bytes to the stream."""

    def finalize(self) -> tuple[bytes, bytes]:
        """The 32-byte root and the outboard of everything appended."""


def new_hasher() -> StreamHasher:
    """A `StreamHasher` of the empty stream."""
    fast = native()
    hasher: StreamHasher = _hasher.TreeHasher() if fast is None else fast.TreeHasher()
    return hasher


def root_and_outboard(data: bytes) -> tuple[bytes, bytes]:
    """The 32-byte root of `data` and its outboard (`outboard_size(len(data))` bytes)."""
    hasher = new_hasher()
    hasher.update(data)
    return hasher.finalize()


def outboard(data: bytes) -> bytes:
    """The parents above the 16 KiB groups of `data`; the layout is in `tree.hasher`."""
    return root_and_outboard(data)[1]


def slice_of(
    read_at: Callable[[int, int], bytes], size: int, outboard: bytes, start: int, length: int
) -> bytes:
    """The Bao slice of bytes `[start, start + length)`, byte for byte that of the `bao` crate.

    Args:
        read_at: `read_at(offset, length)` gives that many bytes of the data; called once, for the
            whole groups that the slice touches.
        size: bytes of the data.
        outboard: as `outboard` gives it.
        start: may lie past the end: then the slice is of the last chunk and proves the size.
        length: 0 counts as 1; what reaches past the end is cut.

    Raises:
        OutboardError: the outboard is not of data of this size.
        SliceError: start or length is negative.
    """
    start, length = bounded_range(start, length)
    fast = native()
    if fast is None:
        return _slices.slice_of(read_at, size, outboard, start, length)
    begin, end = slice_window(size, start, length)
    window = read_at(begin, end - begin)
    try:
        result: bytes = fast.slice_of_window(window, begin, size, outboard, start, length)
    except ValueError as error:
        raise OutboardError(str(error)) from error
    return result


def verify_slice(
    data: bytes, root: bytes, start: int, length: int, size: int | None = None
) -> bytes:
    """The content bytes `[start, start + length)` that a slice proves under `root`.

    Args:
        data: the slice, whole: trailing bytes are refused.
        root: 32 bytes.
        start: as given to `slice_of`.
        length: as given to `slice_of`; the result is shorter where the content ends earlier.
        size: bytes of the content. Without it the header's claim is believed as far as the shape
            of the tree confirms it (exactly, where the last chunk is in the slice).

    Raises:
        SliceError: with what is wrong and where.
    """
    start, length = bounded_range(start, length)
    fast = native()
    if fast is None:
        return _slices.verify_slice(data, root, start, length, size)
    try:
        content: bytes = fast.verify_slice(data, root, start, length, size)
    except ValueError as error:
        raise SliceError(str(error)) from error
    return content
