"""The one canonical encoding: DAG-CBOR of a typed record, and back, strictly.

Records are frozen `msgspec.Struct`s (see `Record`): field names are the map's keys. Decoding
refuses what is oversized, not canonical (see `canonical`), of unknown or missing fields, or out of
the field's annotated bounds. Reference: IPLD DAG-CBOR specification; CIDs: see `cid`.
"""

from typing import Annotated, Any, TypeVar, dataclass_transform

import msgspec
from multiformats import CID

from cybervein_protocol import canonical
from cybervein_protocol.cid import cid_root, cid_text, data_cid, node_cid, parse_cid
from cybervein_protocol.errors import LimitError, MalformedError
from cybervein_protocol.names import Veins

__all__ = [
    "U8",
    "U32",
    "U63",
    "Amount",
    "Bytes32",
    "Bytes64",
    "Record",
    "U64Bytes",
    "cid_root",
    "cid_text",
    "data_cid",
    "decode",
    "decode_node",
    "encode",
    "from_map",
    "node_cid",
    "parse_cid",
    "to_map",
]

Bytes32 = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
Bytes64 = Annotated[bytes, msgspec.Meta(min_length=64, max_length=64)]
U8 = Annotated[int, msgspec.Meta(ge=0, le=0xFF)]
U32 = Annotated[int, msgspec.Meta(ge=0, le=0xFFFF_FFFF)]
U63 = Annotated[int, msgspec.Meta(ge=0, le=0x7FFF_FFFF_FFFF_FFFF)]
"""Sizes and counters: fits a signed 64-bit column."""
Amount = Annotated[Veins, msgspec.Meta(ge=0, le=0x7FFF_FFFF_FFFF_FFFF)]
"""Money in a record: of the same bounds, and no size or counter."""
U64Bytes = Annotated[bytes, msgspec.Meta(min_length=8, max_length=8)]
"""A full unsigned 64-bit value (a quality), big-endian so that bytes sort like numbers."""


@dataclass_transform(frozen_default=True, field_specifiers=(msgspec.field,))
class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of everything that is encoded: frozen, unknown fields refused.

    A subclass with defaults states `kw_only=True` itself (msgspec does not inherit that).
    """


R = TypeVar("R")


def _plain(value: object) -> object:
    """`msgspec.to_builtins` hook: a CID passes through to the DAG-CBOR encoder."""
    if isinstance(value, CID):
        return value
    raise MalformedError(f"cannot encode {type(value).__name__}: expected a Record or a CID")


def _typed(kind: type, value: object) -> object:
    """`msgspec.convert` hook: a CID link decodes to itself."""
    if kind is CID and isinstance(value, CID):
        return value
    raise TypeError(f"expected {kind.__name__}, got {type(value).__name__}")


def to_map(record: object) -> Any:  # noqa: ANN401 -- an IPLD node: map, list or scalar
    """The IPLD node (maps, lists, scalars, CIDs) of a record."""
    return msgspec.to_builtins(record, builtin_types=(bytes, CID), enc_hook=_plain)


def from_map(node: object, kind: type[R], what: str) -> R:
    """The typed record of an IPLD node. Raises MalformedError naming the field."""
    try:
        return msgspec.convert(node, kind, strict=True, builtin_types=(bytes,), dec_hook=_typed)
    except (msgspec.ValidationError, TypeError) as error:
        raise MalformedError(f"{what}: {error}; see docs/wire.md for its fields") from error


def encode(record: object) -> bytes:
    """Canonical DAG-CBOR bytes of a record or node."""
    return canonical.encode_node(to_map(record))


def decode_node(data: bytes, what: str, max_bytes: int) -> Any:  # noqa: ANN401 -- an IPLD node
    """The IPLD node of canonical DAG-CBOR bytes. Raises LimitError or MalformedError."""
    if len(data) > max_bytes:
        raise LimitError(f"{what}: {len(data)} bytes, at most {max_bytes} are accepted")
    return canonical.decode_node(data, what)


def decode(data: bytes, kind: type[R], what: str, max_bytes: int) -> R:
    """The record of canonical DAG-CBOR bytes; `what` names the thing in errors."""
    return from_map(decode_node(data, what, max_bytes), kind, what)
