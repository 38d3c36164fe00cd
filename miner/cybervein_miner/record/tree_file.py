"""BLAKE3 trees over files: native where it is installed, the specification where it is not.

`cybervein_protocol.tree` is pure and knows no files; this is its shell. The outboard of a file lies
beside it and may be lost or damaged at no harm: it is computed again from the data.
"""

import os
from collections.abc import Callable
from pathlib import Path

from cybervein_protocol.errors import ProofError
from cybervein_protocol.native import native
from cybervein_protocol.tree import OutboardError, new_hasher, slice_of

OUTBOARD_SUFFIX = ".obao"
_PIECE_BYTES = 1 << 20


def outboard_path(path: Path) -> Path:
    """The outboard's file beside a shard or plot file."""
    return path.with_name(path.name + OUTBOARD_SUFFIX)


def read_outboard(path: Path) -> bytes:
    """The outboard beside a file; small files have an empty one and no file."""
    try:
        return outboard_path(path).read_bytes()
    except FileNotFoundError:
        return b""


def file_tree(path: Path, pace: Callable[[int], None] | None = None) -> tuple[bytes, bytes]:
    """(root, outboard) of a file; `pace` is called with the bytes of each piece read."""
    hasher = new_hasher()
    with path.open("rb", buffering=0) as file:
        while piece := file.read(_PIECE_BYTES):
            hasher.update(piece)
            if pace is not None:
                pace(len(piece))
    return hasher.finalize()


def file_slice(path: Path, outboard: bytes, start: int, length: int) -> bytes:
    """The Bao slice of `[start, start + length)`. Raises OSError or OutboardError."""
    module = native()
    if module is None:
        return _plain_slice(path, outboard, start, length)
    try:
        return bytes(module.extract_slice(path, outboard, start, length))
    except ValueError as error:
        raise OutboardError(f"{path}: {error}") from error


def _plain_slice(path: Path, outboard: bytes, start: int, length: int) -> bytes:
    handle = os.open(path, os.O_RDONLY)
    try:
        size = os.fstat(handle).st_size
        return slice_of(lambda at, n: os.pread(handle, n, at), size, outboard, start, length)
    finally:
        os.close(handle)


def expect_root(path: Path, actual: bytes, expected: bytes) -> None:
    """Raise ProofError unless a file's root is the expected one."""
    if actual != expected:
        raise ProofError(
            f"{path}: BLAKE3 root is {actual.hex()[:16]}, expected {expected.hex()[:16]}; "
            "its bytes have changed"
        )
