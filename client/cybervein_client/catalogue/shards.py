"""The shards of a segment as its row holds them.

Decoded with the protocol's codecs, imported when a segment is: to list files takes none.
"""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cybervein_protocol.messages import ShardEntry

_SHARDS_BYTES_MAX: Final = 1 << 20


def encoded(shards: "tuple[ShardEntry, ...]") -> bytes:
    """As a column."""
    from cybervein_protocol.encoding import encode  # noqa: PLC0415 -- see the module

    return encode(list(shards))


def decoded(column: bytes) -> "tuple[ShardEntry, ...]":
    """From a column."""
    from cybervein_protocol.encoding import decode  # noqa: PLC0415 -- see the module
    from cybervein_protocol.messages import ShardEntry  # noqa: PLC0415

    return tuple(decode(column, list[ShardEntry], "catalogue: shards", _SHARDS_BYTES_MAX))
