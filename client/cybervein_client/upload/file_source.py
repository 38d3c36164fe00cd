"""A file as a source: what it was when it was opened, and whether it still is.

The size that a file system reports is a claim. Files under /proc and of some FUSE file systems
claim 0 and have bytes all the same: those are read to their end, once, like a stream. Files under
/sys claim a page and have less, growing ones have more: both are refused, never cut.
"""

import os
import shlex
import stat
from collections.abc import Iterator
from pathlib import Path

from cybervein_protocol.errors import ConflictError, MalformedError, StorageError, UnknownError
from cybervein_runtime.reasons import refused_file

from cybervein_client.catalogue import SourceFacts
from cybervein_client.upload.source import Piece, Source, StreamSource


class FileSource(Source):
    """A regular file; what changes while it is read is noticed."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.name = str(self.path)
        self._handle = _opened(path)
        self._stream: StreamSource | None = None
        facts = _facts(self._handle)
        if not facts.size and self._read_at(1, 0):
            self._stream = StreamSource(os.fdopen(os.dup(self._handle), "rb"), self.name)
        self.facts = None if self._stream else facts

    def pieces(self, segment_bytes: int) -> Iterator[Piece]:
        """See `Source`; nothing is read yet where the size is known."""
        if self.facts is None:
            yield from self._streamed(segment_bytes)
            return
        total = self.facts.size
        for number, start in enumerate(range(0, max(1, total), segment_bytes)):
            size = min(segment_bytes, total - start)
            yield Piece(number, size, last=start + size == total, data=None)

    def _streamed(self, segment_bytes: int) -> Iterator[Piece]:
        assert self._stream is not None  # noqa: S101 -- a file without facts is read as a stream
        try:
            yield from self._stream.pieces(segment_bytes)
        except OSError as error:
            raise self._unreadable(error) from error

    def read(self, piece: Piece, segment_bytes: int) -> bytes:
        """See `Source`. Raises ConflictError if the file is not as long as it was."""
        if piece.data is not None:
            return piece.data
        start = piece.number * segment_bytes
        data = self._read_at(piece.size, start)
        if len(data) != piece.size:
            raise self._other_size(f"ends at byte {start + len(data)}")
        if piece.last and self._read_at(1, start + piece.size):
            raise self._other_size("has more")
        return data

    def _read_at(self, size: int, start: int) -> bytes:
        try:
            data = os.pread(self._handle, size, start)
            while len(data) < size and (
                more := os.pread(self._handle, size - len(data), start + len(data))
            ):
                data += more
        except OSError as error:
            raise self._unreadable(error) from error
        return data

    def _unreadable(self, error: OSError) -> StorageError:
        return StorageError(refused_file(f"cannot read {self.path}", error))

    def _other_size(self, what: str) -> ConflictError:
        return ConflictError(
            f"{self.path} is reported with {self.size} bytes and {what}: it is being written to, "
            "or reports no true size; put it again, or what it has now: "
            f"`put - --name NAME < {self.path}`"
        )

    def facts_now(self) -> SourceFacts | None:
        """See `Source`."""
        return _facts(self._handle) if self.facts else None

    def close(self) -> None:
        """Close the file."""
        if self._stream is not None:
            self._stream.close()
        os.close(self._handle)


def _opened(path: Path) -> int:
    """A descriptor of a regular file."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError as error:
        raise UnknownError(f"{path} does not exist; nothing was stored") from error
    except OSError as error:
        raise StorageError(refused_file(f"cannot read {path}", error)) from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        folder = stat.S_ISDIR(os.fstat(handle).st_mode)
        os.close(handle)
        if folder:
            raise MalformedError(
                f"{path} is a folder; store it as one file: "
                f"`tar c {shlex.quote(str(path))} | cybervein put - --name NAME`"
            )
        raise MalformedError(
            f"{path} is not a regular file; store a stream with `put - --name NAME`"
        )
    return handle


def _facts(handle: int) -> SourceFacts:
    found = os.fstat(handle)
    return SourceFacts(found.st_size, found.st_mtime_ns, found.st_ino, found.st_ctime_ns)
