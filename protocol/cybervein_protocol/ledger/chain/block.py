"""Blocks: engine blocks order and finalise units; a CyberVein block closes an epoch.

An engine block holds unit ids, not units; whoever stores it stores the units beside it. Its `v`
says by which rules it executes:

| rules | what |
|---|---|
| 1 | until 0.2: nothing in the state says which units an epoch had |
| 2 | the row `meta/tau` grows with every block, and the epoch's row keeps it once it is closed |

A chain may change to later rules with any block, never back, so old blocks verify byte for byte.

A CyberVein block is the paper's beta_i = (phi_i, sigma_i, tau_i): phi is the proof part (beacon,
winner), sigma the signatures, tau the epoch's units. It follows from the epoch's row alone. Without
winners phi has none and sigma is empty.
"""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import UNSET
from multiformats import CID

from cybervein_protocol.encoding import U63, Bytes32, Bytes64, Record, decode, encode, node_cid
from cybervein_protocol.errors import UnknownError
from cybervein_protocol.ledger.state.rows import EpochRow, Tau
from cybervein_protocol.signing import KeyPair, sign_record, verify_record

CONTEXT: Final = "cybervein block v1"
BLOCK_BYTES_MAX: Final = 1 << 22
UNITS_BYTES_MAX: Final = 16 << 20
"""Encoded bytes of all units of a block: bounds what executing one costs."""
_UNITS_MAX: Final = 1 << 14

Rules = Literal[1, 2]
RULES: Final = 2
"""By which rules new blocks execute."""
TAU_RULES: Final = 2
"""From these rules on the state has the units of its epochs."""


class Void(Record):
    """A unit whose body failed, with the stable code of the error."""

    unit: CID
    code: Annotated[str, msgspec.Meta(max_length=32)]


class Block(Record):
    """An engine block: `units` in execution order, `app_hash` after them."""

    v: Rules
    network: CID
    height: U63
    prev: CID | None
    epoch: U63
    units: Annotated[list[CID], msgspec.Meta(max_length=_UNITS_MAX)]
    voids: Annotated[list[Void], msgspec.Meta(max_length=_UNITS_MAX)]
    app_hash: Bytes32
    proposer: Bytes32
    sig: Bytes64


class BlockHeader(Record):
    """What execution needs to know of a block besides its units."""

    height: U63
    epoch: U63
    v: Rules


class Phi(Record):
    """The proof part of a CyberVein block. `winner` stays null without a lottery."""

    index: U63
    beacon: Bytes32
    winner: None


class Sigma(Record):
    """The signature part."""

    index: U63
    signatures: list[Bytes64]


class EpochBlock(Record):
    """The CyberVein block of epoch `index`."""

    v: Literal[2]
    index: U63
    phi: Phi
    tau: Tau
    sigma: Sigma


def sign_block(block: Block, key: KeyPair) -> Block:
    """The block signed by its proposer."""
    return sign_record(CONTEXT, block, key)


def verify_block(block: Block) -> None:
    """Raise SignatureError unless the proposer signed it."""
    verify_record(CONTEXT, block, block.proposer, f"block {block.height}")


def block_id(block: Block | EpochBlock) -> CID:
    """The block's CID."""
    return node_cid(encode(block))


def decode_block(data: bytes) -> Block:
    """The block of its encoding, not yet verified. Raises MalformedError or LimitError."""
    return decode(data, Block, "block", BLOCK_BYTES_MAX)


def header_of(block: Block) -> BlockHeader:
    """What execution needs of a block."""
    return BlockHeader(block.height, block.epoch, block.v)


def epoch_block(row: EpochRow) -> EpochBlock:
    """The CyberVein block of an epoch that closed under rules 2. Raises UnknownError."""
    tau = row.tau
    if tau is UNSET:
        raise UnknownError("the epoch is not closed by rules 2; its row says nothing of its units")
    return EpochBlock(
        v=2,
        index=tau.index,
        phi=Phi(index=tau.index, beacon=row.beacon, winner=None),
        tau=tau,
        sigma=Sigma(index=tau.index, signatures=[]),
    )
