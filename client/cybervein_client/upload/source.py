"""Where plaintext comes from: a file (any segment at any time) or a stream (once, in order)."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from cybervein_client.catalogue import SourceFacts


@dataclass(frozen=True, slots=True)
class Piece:
    """The plaintext range of one segment; `data` is None where the source can read it again."""

    number: int
    size: int
    last: bool
    data: bytes | None


class Source(ABC):
    """A byte stream cut into segments of `segment_bytes`; an empty one has one, of 0 bytes.

    `facts` is None for what can be read only once; `size` then is known at its end.
    """

    name: str
    facts: SourceFacts | None

    @property
    def size(self) -> int | None:
        """Bytes, as far as they are known before they are read."""
        return None if self.facts is None else self.facts.size

    @property
    def mtime_ns(self) -> int | None:
        """When it was last written to."""
        return None if self.facts is None else self.facts.mtime_ns

    @property
    def rereadable(self) -> bool:
        """Whether any piece can be read again."""
        return self.facts is not None

    @abstractmethod
    def pieces(self, segment_bytes: int) -> Iterator[Piece]:
        """The segments in order; blocking."""

    @abstractmethod
    def read(self, piece: Piece, segment_bytes: int) -> bytes:
        """The plaintext of a piece; blocking."""

    @abstractmethod
    def facts_now(self) -> SourceFacts | None:
        """The facts as they are now: other ones say that bytes may have changed."""

    @abstractmethod
    def close(self) -> None:
        """Release what the source holds open."""


class StreamSource(Source):
    """Standard input or any stream: its size is known when it ends."""

    facts = None

    def __init__(self, stream: BinaryIO, name: str = "-") -> None:
        self._stream = stream
        self.name = name

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

    def facts_now(self) -> None:
        """A stream cannot change: each byte is seen once."""

    def close(self) -> None:
        """Close the stream."""
        self._stream.close()
