"""A unit: one signed transaction and one node of the DAG.

Its id is the CID of its encoding, signature included. A body is decoded once and
travels with its unit as a `ParsedUnit`, which only `chain.border` makes of foreign bytes.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

import msgspec
from multiformats import CID

from cybervein_protocol.encoding import (
    U63,
    Amount,
    Bytes32,
    Bytes64,
    Record,
    encode,
    node_cid,
    to_map,
)
from cybervein_protocol.ledger.units.body import Body
from cybervein_protocol.ledger.units.genesis import PARENTS_MIN
from cybervein_protocol.names import Veins
from cybervein_protocol.presets import Preset
from cybervein_protocol.signing import KeyPair, sign_record

CONTEXT: Final = "cybervein unit v1"
PARENTS_MAX: Final = 8
_NODE_PREFIX: Final = b"\x01\x71\x1e\x20"  # CIDv1, dag-cbor, blake3, 32 bytes
_FEE_WIDEST: Final = Veins((1 << 63) - 1)  # the longest encoding of a fee


class Unit(Record):
    """A signed transaction. `body` is the map of the `Body` of its kind."""

    v: Literal[1]
    network: CID
    kind: str
    body: dict[str, Any]
    parents: Annotated[list[CID], msgspec.Meta(min_length=PARENTS_MIN, max_length=PARENTS_MAX)]
    issuer: Bytes32
    nonce: U63
    fee: Amount
    sig: Bytes64


@dataclass(frozen=True, slots=True)
class ParsedUnit:
    """A unit that passed the border, with its id, typed body and encoded size in bytes."""

    id: CID
    unit: Unit
    body: Body
    raw: bytes

    @property
    def size(self) -> int:
        """Encoded bytes: what the fee is for."""
        return len(self.raw)


def make_unit(  # noqa: PLR0913 -- the unit's own fields, by name
    network: CID,
    body: Body,
    *,
    parents: list[CID],
    key: KeyPair,
    nonce: int,
    fee: Veins,
) -> Unit:
    """A signed unit. Parents are sorted here; there must be 2 to 8 distinct ones."""
    unit = Unit(
        v=1,
        network=network,
        kind=body.kind,
        body=to_map(body),
        parents=sorted(parents, key=bytes),
        issuer=key.public,
        nonce=nonce,
        fee=fee,
        sig=bytes(64),
    )
    return sign_record(CONTEXT, unit, key)


def make_paid_unit(  # noqa: PLR0913 -- as make_unit
    network: CID,
    body: Body,
    *,
    parents: list[CID],
    key: KeyPair,
    nonce: int,
    preset: Preset,
) -> Unit:
    """A signed unit that pays for its own size (counted with the longest fee field)."""
    draft = make_unit(network, body, parents=parents, key=key, nonce=nonce, fee=_FEE_WIDEST)
    fee = required_fee(len(encode(draft)), preset)
    return make_unit(network, body, parents=parents, key=key, nonce=nonce, fee=fee)


def required_fee(size_bytes: int, preset: Preset) -> Veins:
    """Veins that a unit of that encoded size pays at least."""
    return Veins(size_bytes * preset.fee_veins_per_byte)


def unit_id(unit: Unit) -> CID:
    """The unit's CID."""
    return node_cid(encode(unit))


def is_node_cid(cid: CID) -> bool:
    """Whether a CID is what `node_cid` makes: version 1, dag-cbor, 32-byte blake3."""
    binary = bytes(cid)
    return binary[:4] == _NODE_PREFIX and len(binary) == 36  # noqa: PLR2004 -- prefix and digest
