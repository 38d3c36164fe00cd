from collections.abc import Callable, Mapping, Sequence
from typing import Any, final

from _typeshed import ReadableBuffer, StrPath

__all__ = [
    "DamagedChunkError",
    "PlotCancelled",
    "SliceSource",
    "TreeHasher",
    "decode_node",
    "decode_stripes",
    "encode_node",
    "encode_segment",
    "extract_slice",
    "extract_slices",
    "file_root_and_outboard",
    "hash_limit_seconds",
    "keep_freed_memory",
    "open_quality",
    "plot_create",
    "plot_in_memory",
    "plot_kernels",
    "plot_memory_bytes",
    "plot_replay_commit",
    "rebuild_shard",
    "root_and_outboard",
    "rs_parity",
    "rs_paths",
    "rs_reconstruct",
    "slice_of_window",
    "verify_commit",
    "verify_slice",
]

# --- encoding: native/src/encoding.rs ------------------------------------------------------------

def decode_node(data: bytes, link: Callable[[bytes], object]) -> Any: ...  # noqa: ANN401 -- a node
def encode_node(node: object, link: type) -> bytes: ...

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

# --- space: native/src/space.rs ------------------------------------------------------------------

class PlotCancelled(Exception): ...  # noqa: N818 -- an answer to a request, not a failure

def plot_memory_bytes(b: int) -> int: ...
def plot_kernels() -> list[str]: ...
def hash_limit_seconds(count: int, kernel: str | None = None) -> float: ...
def plot_create(
    path: StrPath,
    public_key: ReadableBuffer,
    plot_index: int,
    b: int,
    k: int,
    progress: Callable[[int, int], object] | None = None,
    cancel: Callable[[], bool] | None = None,
    kernel: str | None = None,
) -> tuple[bytes, bytes, bytes]: ...
def plot_in_memory(
    mu: ReadableBuffer,
    b: int,
    k: int,
    progress: Callable[[int, int], object] | None = None,
    cancel: Callable[[], bool] | None = None,
    kernel: str | None = None,
) -> tuple[bytes, bytes]: ...
def plot_replay_commit(
    public_key: ReadableBuffer,
    plot_index: int,
    b: int,
    k: int,
    rows: Sequence[int],
    progress: Callable[[int, int], object] | None = None,
    cancel: Callable[[], bool] | None = None,
    kernel: str | None = None,
) -> tuple[bytes, bytes, list[tuple[int, bytes, bytes]], list[tuple[int, bytes]]]: ...
def verify_commit(
    mu: ReadableBuffer,
    b: int,
    k: int,
    kappa: ReadableBuffer,
    gamma: ReadableBuffer,
    columns: Sequence[tuple[int, ReadableBuffer, ReadableBuffer]],
    rows: Sequence[tuple[int, ReadableBuffer]],
) -> None: ...
def open_quality(
    beacon: ReadableBuffer,
    plot_id: ReadableBuffer,
    gamma: ReadableBuffer,
    b: int,
    slice: ReadableBuffer,  # noqa: A002 -- the word of the protocol
) -> int: ...

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
