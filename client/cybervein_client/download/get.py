"""Writing a file so that its name appears only when every byte of it was verified.

Bytes go to `.NAME.CID.part` beside the destination, in order. A later `get` of the same file goes
on there: each segment found is encoded again and compared with the roots the DAG records, which
needs no network; the first that differs is cut off with everything behind it.
"""

import asyncio
import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from cybervein_protocol.coding import encode_segment
from cybervein_protocol.errors import ConflictError, ProofError, StorageError
from cybervein_runtime.files import sync_directory
from cybervein_runtime.reasons import FULL, system_reason

from cybervein_client.catalogue import FileRow, SegmentRow
from cybervein_client.download.read import FileReader
from cybervein_client.segments import CODING_THREADS, secret_of, shape_of

Progress = Callable[[int], None]
_CID_CHARS = 12


async def get_file(
    reader: FileReader, destination: Path, progress: Progress, *, replace: bool = False
) -> int:
    """Read the whole file to `destination`; the bytes that were there already from before.

    Raises ConflictError if the destination exists, StorageError if the disk refuses.
    """
    _require_place(destination, replace=replace)
    part = part_path(destination, reader.file)
    try:
        with _opened(part) as file, _nothing_left(file, part):
            done = await asyncio.to_thread(_verified_prefix, file, reader)
            _require_space(part, reader.size - done)
            await _append(reader, file, done, progress)
            _require_place(destination, replace=replace)  # it took a while
            await asyncio.to_thread(_finish, file, part, destination, reader.size)
    except OSError as error:
        raise _disk_error(part, error) from error
    return done


@contextmanager
def _nothing_left(file: BinaryIO, part: Path) -> Iterator[None]:
    """Remove the part of a get that failed before its first byte: there is nothing to continue."""
    try:
        yield
    except BaseException:
        with suppress(OSError):
            if not os.fstat(file.fileno()).st_size:
                part.unlink()
        raise


def _require_place(destination: Path, *, replace: bool) -> None:
    """Raise for what is there already: a folder, device or pipe is not replaced even if asked."""
    if destination.is_dir():
        raise ConflictError(f"{destination} is a folder; name a file in it")
    if destination.exists() and not destination.is_file():
        raise ConflictError(f"{destination} is no regular file; `--out -` writes to a stream")
    if destination.exists() and not replace:
        raise ConflictError(f"{destination} exists; name another file or use --force")


def part_path(destination: Path, file: FileRow) -> Path:
    """Where the bytes are collected."""
    return destination.with_name(f".{destination.name}.{(file.cid or file.id)[-_CID_CHARS:]}.part")


def _opened(part: Path) -> BinaryIO:
    """The part, for this get alone: two that cut and write one file would leave holes in it.

    Raises ConflictError while another get writes it.
    """
    while True:
        handle = os.open(part, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        file = os.fdopen(handle, "r+b", buffering=0)
        if not _locked(handle):
            file.close()
            raise ConflictError(
                f"another get writes {part}; wait until it ends, or name another file"
            )
        if _is_still(part, handle):
            return file
        file.close()  # the other get has finished, or given up, in this moment


def _locked(handle: int) -> bool:
    """Lock it until it is closed; a filesystem without locks is relied on as it is."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def _is_still(part: Path, handle: int) -> bool:
    try:
        return os.path.samestat(part.stat(), os.fstat(handle))
    except FileNotFoundError:
        return False


def _verified_prefix(file: BinaryIO, reader: FileReader) -> int:
    """Bytes of whole, verified segments at the start of `file`, which is cut behind them."""
    done = 0
    for row in reader.segments:
        file.seek(done)
        data = file.read(row.size) if row.size else b""
        if not data or not _is_segment(data, reader.file, row):
            break
        done += row.size
    file.truncate(done)
    file.seek(done)
    return done


def _is_segment(data: bytes, file: FileRow, row: SegmentRow) -> bool:
    if len(data) != row.size:
        return False
    secret, shape = secret_of(file, row), shape_of(file, row)
    pairs = encode_segment(data, secret, shape, threads=CODING_THREADS)
    return [root for root, _ in pairs] == [shard.root for shard in row.shards]


async def _append(reader: FileReader, file: BinaryIO, done: int, progress: Progress) -> None:
    progress(done)
    async for data in reader.stream(done, reader.size):
        await asyncio.to_thread(_write_all, file, data)
        done += len(data)
        progress(done)


def _write_all(file: BinaryIO, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]


def _finish(file: BinaryIO, part: Path, destination: Path, size: int) -> None:
    actual = os.fstat(file.fileno()).st_size
    if actual != size:
        raise ProofError(f"{part} has {actual} bytes, the file has {size}; get it again")
    os.fsync(file.fileno())
    part.replace(destination)
    sync_directory(destination.parent)


def _require_space(part: Path, needed: int) -> None:
    free = shutil.disk_usage(part.parent).free
    if free < needed:
        raise StorageError(
            f"{part.parent} has {free} bytes free, {needed} are needed; make room and run the same "
            "get again"
        )


def _disk_error(part: Path, error: OSError) -> StorageError:
    if error.errno in FULL:
        return StorageError(
            f"cannot write {part}: {system_reason(error)}; make room and run the same get again, "
            "it continues there"
        )
    return StorageError(f"cannot write {part}: {error.strerror}; choose another place")
