"""What paths, queries and headers may hold: parsed once, here, into the types that routes take.

A route names a type and gets its value; any other text is refused as malformed before the route
runs, and `/openapi.json` states the same rule. Whole numbers end at 2^63-1, as the columns do in
which they are looked up.
"""

from typing import Annotated, Any, Final

from cybervein_protocol.encoding import parse_cid
from cybervein_protocol.errors import MalformedError
from cybervein_protocol.names import PublicKey
from cybervein_protocol.signing import parse_address
from multiformats import CID
from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema

NUMBER_MAX: Final = (1 << 63) - 1
_DIGITS_MAX: Final = len(str(NUMBER_MAX))
_ROOT_HEX: Final = 64
ROOT_SCHEMA: Final[dict[str, Any]] = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_CID_SCHEMA: Final[dict[str, Any]] = {
    "type": "string",
    "pattern": "^baf(yr|kr)4i[a-h][a-z2-7]{50}[aeimquy4]$",
}
_ADDRESS_SCHEMA: Final[dict[str, Any]] = {"type": "string", "format": "cybervein-address"}
"""Its checksum is more than a pattern can say."""


def whole_number(text: str, what: str, most: int = NUMBER_MAX) -> int:
    """Digits alone, no more of them than a number of 63 bits has. Raises MalformedError."""
    digits = text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX
    if not digits or int(text) > most:
        raise MalformedError(f"{what}: {text[:32]!r}, expected a whole number from 0 to {most}")
    return int(text)


def parse_root(text: str) -> bytes:
    """A BLAKE3 root. Raises MalformedError."""
    try:
        root = bytes.fromhex(text)
    except ValueError:
        root = b""
    if len(text) != _ROOT_HEX or text != root.hex():
        raise MalformedError(f"root {text[:80]!r}: expected 64 lower-case hex digits")
    return root


def _whole(value: object) -> object:
    return whole_number(value, "parameter") if isinstance(value, str) else value


def _cid(value: object) -> CID:
    return parse_cid(str(value), "path")


def _address(value: object) -> PublicKey:
    return parse_address(str(value))


def _root(value: object) -> bytes:
    return parse_root(str(value))


DIGITS: Final = BeforeValidator(_whole)
"""Stands behind the bounds, `Annotated[int, Field(ge=1, le=9), DIGITS]`: so the schema has them."""
Whole = Annotated[int, Field(ge=0, le=NUMBER_MAX), DIGITS]
"""A height, an epoch, the number of an event."""
Address = Annotated[PublicKey, PlainValidator(_address), WithJsonSchema(_ADDRESS_SCHEMA)]
Cid = Annotated[CID, PlainValidator(_cid), WithJsonSchema(_CID_SCHEMA)]
Root = Annotated[bytes, PlainValidator(_root), WithJsonSchema(ROOT_SCHEMA)]
