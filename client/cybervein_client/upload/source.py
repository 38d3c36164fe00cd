"""Where plaintext comes from: a file (any segment at any time) or a stream (once, in order)."""

import os
import stat
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from cybervein_protocol.errors import ConflictError, MalformedError, StorageError, UnknownError


@dataclass(frozen=True, slots=True)
class Piece:
    """The plaintext range of one segment; `data` is None where the source can read it again."""

    number: int
    size: int
    last: bool
    data: bytes | None


class Source(ABC):
    """A byte stream cut into segments of `segment_bytes`; an empty one has one, of 0 bytes."""

    name: str
    size: int | None
    mtime_ns: int | None
    rereadable: bool

    @abstractmethod
    def pieces(self, segment_bytes: int) -> Iterator[Piece]:
        """The segments in order; blocking."""

    @abstractmethod
    def read(self, piece: Piece, segment_bytes: int) -> bytes:
        """The plaintext of a piece; blocking."""

    @abstractmethod
    def require_unchanged(self) -> None:
        """Raise ConflictError if the source was written to since it was opened."""

    @abstractmethod
    def close(self) -> None:
        """Release what the source holds open."""


class FileSource(Source):
    """A regular file; what changes while it is read is noticed."""

    rereadable = True

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.name = str(self.path)
        try:
            self._handle = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError as error:
            raise UnknownError(f"{path} does not exist; nothing was stored") from error
        except OSError as error:
            raise StorageError(f"cannot read {path}: {error.strerror}") from error
        facts = os.fstat(self._handle)
        if not stat.S_ISREG(facts.st_mode):
            os.close(self._handle)
            raise MalformedError(
                f"{path} is not a regular file; store a stream with `put - --name NAME`"
            )
        self.size: int = facts.st_size
        self.mtime_ns = facts.st_mtime_ns

    def pieces(self, segment_bytes: int) -> Iterator[Piece]:
        """See `Source`; nothing is read yet."""
        for number, start in enumerate(range(0, max(1, self.size), segment_bytes)):
            size = min(segment_bytes, self.size - start)
            yield Piece(number, size, last=start + size == self.size, data=None)

    def read(self, piece: Piece, segment_bytes: int) -> bytes:
        """See `Source`. Raises StorageError if the file is shorter than it was."""
        start = piece.number * segment_bytes
        try:
            data = os.pread(self._handle, piece.size, start)
            while len(data) < piece.size:
                more = os.pread(self._handle, piece.size - len(data), start + len(data))
                if not more:
                    break
                data += more
        except OSError as error:
            raise StorageError(f"cannot read {self.path}: {error.strerror}") from error
        if len(data) != piece.size:
            raise StorageError(f"{self.path} became shorter while it was read; put it again")
        return data

    def require_unchanged(self) -> None:
        """See `Source`."""
        now = os.fstat(self._handle)
        if (now.st_size, now.st_mtime_ns) != (self.size, self.mtime_ns):
            raise ConflictError(
                f"{self.path} was written to while it was stored; `cybervein rm` it, put it again"
            )

    def close(self) -> None:
        """Close the file."""
        os.close(self._handle)


class StreamSource(Source):
    """Standard input or any stream: its size is known when it ends."""

    rereadable = False

    def __init__(self, stream: BinaryIO, name: str = "-") -> None:
        self._stream = stream
        self.name = name
        self.size = None
        self.mtime_ns = None

    def pieces(self, segment_bytes: int) -> Iterator[Piece]:
        """See `Source`; one segment is read ahead, to know which is the last."""
        held = self._next(segment_bytes)
        number = 0
        while True:
            ahead = self._next(segment_bytes) if len(held) == segment_bytes else b""
            yield Piece(number, len(held), last=not ahead, data=held)
            if not ahead:
                return
            held = ahead
            number += 1

    def read(self, piece: Piece, segment_bytes: int) -> bytes:
        """See `Source`."""
        del segment_bytes
        assert piece.data is not None  # noqa: S101 -- pieces() of this class always carries it
        return piece.data

    def _next(self, size: int) -> bytes:
        data = self._stream.read(size)
        while len(data) < size:
            more = self._stream.read(size - len(data))
            if not more:
                break
            data += more
        return data

    def require_unchanged(self) -> None:
        """A stream cannot change: each byte is seen once."""

    def close(self) -> None:
        """Close the stream."""
        self._stream.close()
