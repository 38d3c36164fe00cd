"""A shard on its way in: temporary name, hashed while written, verified, synced, renamed, synced.

Bytes reach the final name only when their hash is the name. Whatever goes wrong before leaves
nothing but a temporary file, which `abort` (or the next start) removes.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import cast

from cybervein_protocol.errors import (
    LimitError,
    MalformedError,
    ProofError,
    StorageError,
)
from cybervein_protocol.tree import new_hasher
from cybervein_runtime.files import sync_directory

from cybervein_miner.disk.disk import Disk
from cybervein_miner.record.tree_file import outboard_path
from cybervein_miner.shard.layout import incoming_path, shard_path


class Incoming:
    """One upload of `size` bytes onto `disk`; the methods block and belong in one thread at a time.

    Raises StorageError when the disk refuses, LimitError when more than `size` bytes come.
    """

    def __init__(self, disk: Disk, root: bytes, size: int) -> None:
        self.disk, self.root, self.size = disk, root, size
        self._place, self._file = disk.path, incoming_path(disk, root)
        self._hasher = new_hasher()
        self._received = 0
        self._lock = threading.Lock()  # an upload may be aborted while its thread still writes
        self._reservation = disk.reserve(size, self._file)
        try:
            with self._guard():
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
                self._handle = os.open(self._file, flags, 0o600)
        except BaseException:
            disk.release(self._reservation)
            raise

    def write(self, data: bytes | memoryview) -> None:
        """Append bytes to file and hash."""
        self._received += len(data)
        if self._received > self.size:
            raise LimitError(
                f"shard {self.root.hex()[:16]}: more than the {self.size} bytes announced"
            )
        with self._lock, self._guard():
            _write_all(self._handle, data)
        self._hasher.update(cast("bytes", data))  # any buffer will do

    def finish(self) -> None:
        """Verify, sync and rename. Raises MalformedError (too short), ProofError (wrong bytes)."""
        if self._received != self.size:
            raise MalformedError(
                f"shard {self.root.hex()[:16]}: {self._received} of {self.size} bytes came; "
                "send it again"
            )
        actual, outboard = self._hasher.finalize()
        if actual != self.root:
            raise ProofError(
                f"shard {self.root.hex()[:16]}: the bytes' BLAKE3 root is {actual.hex()[:16]}; "
                "send the bytes that the order names"
            )
        with self._guard():
            self._settle(outboard)
        self.disk.fullness.taken()
        self._end()

    @contextmanager
    def _guard(self) -> Iterator[None]:
        """A person, or another program, may tidy up where the shard comes in."""
        doing = f"store shard {self.root.hex()[:16]}"
        try:
            with self.disk.guard(doing):
                yield
        except FileNotFoundError as error:
            raise StorageError(
                f"cannot {doing}: {error.filename} was removed meanwhile; send it again"
            ) from error

    def _settle(self, outboard: bytes) -> None:
        if self.disk.path != self._place:
            raise StorageError(
                f"disk {self.disk.path} was at {self._place} when this upload began; send it again"
            )
        final = shard_path(self.disk, self.root)
        os.fsync(self._handle)
        if not final.parent.is_dir():
            final.parent.mkdir(exist_ok=True)
            sync_directory(final.parent.parent)
        if outboard:
            temporary = outboard_path(self._file)
            write_synced(temporary, outboard)
            temporary.replace(outboard_path(final))
        self._file.replace(final)
        sync_directory(final.parent)

    def abort(self) -> None:
        """Forget the upload; harmless after `finish`."""
        for file in (self._file, outboard_path(self._file)):
            with suppress(OSError):
                file.unlink(missing_ok=True)
        self._end()

    def _end(self) -> None:
        with self._lock:
            if self._handle >= 0:
                os.close(self._handle)
                self._handle = -1
        self.disk.release(self._reservation)


def _write_all(handle: int, data: bytes | memoryview) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def write_synced(path: Path, data: bytes) -> None:
    """Write and sync a new file; the caller renames it."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        _write_all(handle, data)
        os.fsync(handle)
    finally:
        os.close(handle)
