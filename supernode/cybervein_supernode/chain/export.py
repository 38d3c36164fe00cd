"""The block list as a file: CARv1, so that any IPLD tool can read it.

Sections in order: the genesis; then each engine block followed by its units. A section is
`varint(length) ‖ CID ‖ bytes`, the header `varint(length) ‖ dag-cbor {version: 1, roots:
[network]}` (https://ipld.io/specs/transport/car/carv1/). Replaying it gives every app hash again.
"""

from collections.abc import Iterator
from typing import Annotated, BinaryIO, Literal

from cybervein_protocol.encoding import Record, decode, encode, node_cid
from cybervein_protocol.errors import CyberVeinError, LimitError, MalformedError
from msgspec import Meta
from multiformats import CID

from cybervein_supernode.chain.view import LedgerView

SECTION_BYTES_MAX = 8 << 20
AGAIN = "it is truncated or damaged: fetch it, or export the chain, again"
NO_EXPORT = "is no export of a chain; name a file that `cybervein chain export` wrote"
_HEADER_BYTES_MAX = 128
_VARINT_BYTES_MAX = 5
_CID_BYTES = 36


class _Header(Record):
    """Of a CAR file whose one root is the network's id."""

    version: Literal[1]
    roots: Annotated[list[CID], Meta(min_length=1, max_length=1)]


def export_chain(view: LedgerView) -> Iterator[bytes]:
    """The file in parts, up to the height committed when it began."""
    height = view.head().height
    header = encode({"version": 1, "roots": [view.network]})
    yield varint(len(header)) + header
    yield _section(encode(view.genesis))
    for number in range(1, height + 1):
        yield _section(view.history.block_bytes(number))
        for _, place in view.history.units_of(number):
            yield _section(place.raw)


def read_sections(file: BinaryIO, what: str = "export") -> Iterator[bytes]:
    """The nodes of an export, each checked against its CID. Raises MalformedError naming `what`."""
    _read_exactly(file, _length(file, what) or 0, what)
    while (length := _length(file, what)) is not None:
        section = _read_exactly(file, length, what)
        data = section[_CID_BYTES:]
        if bytes(node_cid(data)) != section[:_CID_BYTES]:
            raise MalformedError(f"{what}: a section does not hash to its CID; {AGAIN}")
        yield data


def require_export(file: BinaryIO, what: str) -> None:
    """Raise MalformedError unless the file begins as an export does; it is at its start again."""
    begin = file.read(_HEADER_BYTES_MAX)
    file.seek(0)
    if not begin:
        raise MalformedError(f"{what} is empty; {AGAIN}")
    try:
        decode(begin[1 : 1 + begin[0]], _Header, "header", _HEADER_BYTES_MAX)
    except CyberVeinError as error:
        raise MalformedError(f"{what} {NO_EXPORT}") from error


def varint(value: int) -> bytes:
    """Unsigned LEB128."""
    out = bytearray()
    while value > 0x7F:  # noqa: PLR2004 -- seven bits a byte
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _section(data: bytes) -> bytes:
    body = bytes(node_cid(data)) + data
    return varint(len(body)) + body


def _length(file: BinaryIO, what: str) -> int | None:
    """The next section's length; None at the end of the file."""
    value = 0
    for position in range(_VARINT_BYTES_MAX):
        byte = file.read(1)
        if not byte:
            if position:
                raise MalformedError(f"{what} ends inside a length; {AGAIN}")
            return None
        value |= (byte[0] & 0x7F) << (7 * position)
        if byte[0] < 0x80:  # noqa: PLR2004 -- the last byte has no continuation bit
            return value
    raise MalformedError(f"{what}: a length is too long; this {NO_EXPORT}")


def _read_exactly(file: BinaryIO, length: int, what: str) -> bytes:
    if length > SECTION_BYTES_MAX:
        raise LimitError(
            f"{what}: a section of {length} bytes, at most {SECTION_BYTES_MAX}; this {NO_EXPORT}"
        )
    data = file.read(length)
    if len(data) != length:
        raise MalformedError(
            f"{what} ends {length - len(data)} bytes before the end of a section; {AGAIN}"
        )
    return data
