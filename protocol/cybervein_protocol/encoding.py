"""The one canonical encoding: DAG-CBOR of a typed record, and back, strictly.

Records are frozen `msgspec.Struct`s (see `Record`): field names are the map's keys. Decoding
refuses what is oversized, not canonical (re-encoding must give the same bytes), of unknown or
missing fields, or out of the field's annotated bounds. Reference: IPLD DAG-CBOR specification;
CIDs are CIDv1 with blake3 and codec `dag-cbor` (nodes, units) or `raw` (data).
"""

from typing import Annotated, Any, TypeVar, dataclass_transform

import dag_cbor
import msgspec
from blake3 import blake3
from multiformats import CID, multihash

from cybervein_protocol.errors import LimitError, MalformedError

Bytes32 = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
Bytes64 = Annotated[bytes, msgspec.Meta(min_length=64, max_length=64)]
U8 = Annotated[int, msgspec.Meta(ge=0, le=0xFF)]
U32 = Annotated[int, msgspec.Meta(ge=0, le=0xFFFF_FFFF)]
U63 = Annotated[int, msgspec.Meta(ge=0, le=0x7FFF_FFFF_FFFF_FFFF)]
"""Amounts, sizes and counters: fits a signed 64-bit column."""
U64Bytes = Annotated[bytes, msgspec.Meta(min_length=8, max_length=8)]
"""A full unsigned 64-bit value (a quality), big-endian so that bytes sort like numbers."""


_BLAKE3_256 = b"\x1e\x20"
"""Multihash prefix: code of blake3, length 32."""


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
    return dag_cbor.encode(to_map(record))


def decode_node(data: bytes, what: str, max_bytes: int) -> Any:  # noqa: ANN401 -- an IPLD node
    """The IPLD node of canonical DAG-CBOR bytes. Raises LimitError or MalformedError."""
    if len(data) > max_bytes:
        raise LimitError(f"{what}: {len(data)} bytes, at most {max_bytes} are accepted")
    try:
        node = dag_cbor.decode(data)
        canonical = dag_cbor.encode(node) == data
    except Exception as error:  # the decoder raises many classes on hostile input
        raise MalformedError(f"{what}: not DAG-CBOR ({error})") from error
    if not canonical:
        raise MalformedError(f"{what}: DAG-CBOR is not in canonical form; encode it again")
    return node


def decode(data: bytes, kind: type[R], what: str, max_bytes: int) -> R:
    """The record of canonical DAG-CBOR bytes; `what` names the thing in errors."""
    return from_map(decode_node(data, what, max_bytes), kind, what)


def node_cid(data: bytes) -> CID:
    """CIDv1, dag-cbor, blake3-256 of an encoded node."""
    return CID("base32", 1, "dag-cbor", multihash.get("blake3").wrap(blake3(data).digest()))


def data_cid(root: bytes) -> CID:
    """CIDv1, raw, blake3-256 of data whose BLAKE3 root is known."""
    return CID("base32", 1, "raw", multihash.get("blake3").wrap(root))


def parse_cid(text: str, what: str) -> CID:
    """A CID from its text. Raises MalformedError."""
    try:
        return CID.decode(text)
    except Exception as error:  # the parser raises KeyError, ValueError and others
        raise MalformedError(f"{what}: {text[:80]!r} is not a CID") from error


def cid_root(cid: CID) -> bytes:
    """The 32-byte BLAKE3 digest inside a CID. Raises MalformedError for another hash."""
    multihash_bytes = bytes(cid.digest)
    if multihash_bytes[:2] != _BLAKE3_256 or len(multihash_bytes) != 34:  # noqa: PLR2004 -- bytes
        raise MalformedError(f"CID {cid} uses {cid.hashfun.name}; expected a 32-byte blake3")
    return multihash_bytes[2:]


def cid_text(cid: CID) -> str:
    """The one text form of a CID: multibase base32 (`b…`), as in URLs and JSON."""
    return str(cid.encode("base32"))
