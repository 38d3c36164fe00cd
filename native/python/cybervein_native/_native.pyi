from collections.abc import Mapping, Sequence
from typing import final

from _typeshed import ReadableBuffer, StrPath

__all__: list[str]

# --- tree: native/src/tree.rs --------------------------------------------------------------------

def root_and_outboard(data: ReadableBuffer) -> tuple[bytes, bytes]: ...
def file_root_and_outboard(path: StrPath) -> tuple[bytes, bytes]: ...

@final
class TreeHasher:
    def __new__(cls) -> TreeHasher: ...
    def update(self, data: ReadableBuffer) -> None: ...
    def finalize(self) -> tuple[bytes, bytes]: ...

@final
class SliceSource:
    def __new__(cls, path: StrPath, outboard: ReadableBuffer | StrPath) -> SliceSource: ...
    @property
    def size(self) -> int: ...
    def extract(self, start: int, length: int) -> bytes: ...

def extract_slice(
    path: StrPath, outboard: ReadableBuffer | StrPath, start: int, length: int
) -> bytes: ...
def extract_slices(
    requests: Sequence[tuple[SliceSource, int, int]], threads: int = 1
) -> list[bytes | OSError | ValueError]: ...
def slice_of_window(
    window: ReadableBuffer,
    offset: int,
    size: int,
    outboard: ReadableBuffer,
    start: int,
    length: int,
) -> bytes: ...
def verify_slice(
    data: ReadableBuffer, root: ReadableBuffer, start: int, length: int, size: int | None = None
) -> bytes: ...

# --- coding: native/src/coding.rs ----------------------------------------------------------------

class DamagedChunkError(ValueError): ...

def rs_paths() -> list[str]: ...
def rs_parity(
    k: int, n: int, blocks: Sequence[ReadableBuffer], path: str | None = None
) -> list[bytes]: ...
def rs_reconstruct(
    k: int,
    n: int,
    shares: Mapping[int, ReadableBuffer],
    targets: Sequence[int],
    path: str | None = None,
) -> list[bytes]: ...
def encode_segment(
    plaintext: ReadableBuffer,
    file_key: ReadableBuffer,
    salt: ReadableBuffer,
    last: bool,
    k: int,
    n: int,
    threads: int = 1,
) -> list[tuple[bytes, bytes]]: ...
def decode_stripes(
    pieces: Mapping[int, ReadableBuffer],
    file_key: ReadableBuffer,
    salt: ReadableBuffer,
    size: int,
    last: bool,
    k: int,
    n: int,
    first: int,
    stop: int,
    threads: int = 1,
) -> bytes: ...
def rebuild_shard(
    repair_key: ReadableBuffer, shards: Mapping[int, ReadableBuffer], k: int, n: int, target: int
) -> bytes: ...

# --- memory: native/src/memory.rs ----------------------------------------------------------------

def keep_freed_memory(limit: int) -> bool: ...
