"""Segments whose upload has begun: the salt and roots they were sealed with, and receipts so far.

With them an interrupted put continues within a segment: the same bytes under the same salt give the
same roots, so what a miner has already is not sent again. Once all receipts are there, the segment
has them itself and this is forgotten.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cybervein_protocol.messages import ShardEntry

_ENTRY_BYTES_MAX: Final = 4096
_ROOT_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Sealed:
    """A segment as it was sealed: its salt, and its shards' roots by index."""

    number: int
    salt: bytes
    roots: tuple[bytes, ...]

    def packed(self) -> bytes:
        """The roots as one column."""
        return b"".join(self.roots)


def unpacked(number: int, salt: bytes, roots: bytes) -> Sealed:
    """A row as a value."""
    starts = range(0, len(roots), _ROOT_BYTES)
    return Sealed(number, salt, tuple(roots[start : start + _ROOT_BYTES] for start in starts))


def entry_of(data: bytes) -> "ShardEntry":
    """A receipt's column as a value."""
    from cybervein_protocol.encoding import decode  # noqa: PLC0415 -- see the store
    from cybervein_protocol.messages import ShardEntry  # noqa: PLC0415

    return decode(data, ShardEntry, "catalogue: receipt", _ENTRY_BYTES_MAX)


def column_of(entry: "ShardEntry") -> bytes:
    """A receipt as a column."""
    from cybervein_protocol.encoding import encode  # noqa: PLC0415 -- see the store

    return encode(entry)
