"""What a deal's owner and a super node say to each other between `deal.open` and `deal.commit`.

The owner asks for orders (placement is the super node's), uploads, and asks for the deal to be
verified; the verification goes into `deal.commit` beside the very same `SegmentEntry` list.
"""

from typing import Annotated, Final, Literal

import msgspec
from blake3 import blake3
from multiformats import CID

from cybervein_protocol.encoding import U8, U32, U63, Bytes32, Bytes64, Record, encode, to_map
from cybervein_protocol.errors import SignatureError
from cybervein_protocol.messages.fields import SEGMENTS_MAX, SHARDS_MAX, Version
from cybervein_protocol.messages.orders import Order
from cybervein_protocol.signing import KeyPair, verify

CONTEXT: Final = "cybervein verification v1"
_ID_DOMAIN: Final = b"cybervein 2026-11 verification"

ORDER_REQUEST_BYTES_MAX: Final = 4 * 1024 * 1024
ORDER_GRANTS_BYTES_MAX: Final = 32 * 1024 * 1024
VERIFY_REQUEST_BYTES_MAX: Final = 4 * 1024 * 1024
VERIFICATION_ANSWER_BYTES_MAX: Final = 1024
PLANS_MAX: Final = SEGMENTS_MAX * 32

Url = Annotated[str, msgspec.Meta(min_length=1, max_length=512)]


class ShardEntry(Record):
    """One uploaded shard: its root and size, who holds it, and that miner's receipt."""

    root: Bytes32
    miner: Bytes32
    size: U63
    receipt: Bytes64


class SegmentEntry(Record):
    """One segment of a deal as committed: shards by index, 0..n-1; `size` is plaintext bytes."""

    salt: Bytes32
    size: U63
    chunks: U32
    shards: Annotated[list[ShardEntry], msgspec.Meta(min_length=1, max_length=SHARDS_MAX)]


class ShardPlan(Record):
    """A shard that waits for a place."""

    segment: U63
    index: U8
    root: Bytes32
    size: U63


class OrderRequest(Record):
    """Body of `POST /v1/deals/{cid}/orders`; `avoid` names miners that just failed."""

    v: Version
    shards: Annotated[list[ShardPlan], msgspec.Meta(min_length=1, max_length=PLANS_MAX)]
    avoid: Annotated[list[Bytes32], msgspec.Meta(max_length=4096)]


class OrderGrant(Record):
    """Where a planned shard goes: the miner's URL and the PUT order to show there."""

    segment: U63
    index: U8
    url: Url
    order: Order


class OrderGrants(Record):
    """Answer to an `OrderRequest`."""

    v: Version
    orders: Annotated[list[OrderGrant], msgspec.Meta(max_length=PLANS_MAX)]


class VerifyRequest(Record):
    """Body of `POST /v1/deals/{cid}/verify`."""

    v: Version
    segments: Annotated[list[SegmentEntry], msgspec.Meta(max_length=SEGMENTS_MAX)]


class Verification(Record):
    """A super node's word that every shard of these segments was challenged and is there."""

    id: Bytes32
    super: Bytes32
    sig: Bytes64


class VerificationAnswer(Record):
    """Answer to a `VerifyRequest`."""

    v: Literal[1]
    verification: Verification


def verification_id(deal: CID, segments: list[SegmentEntry]) -> bytes:
    """The deal's globally unique verification id: BLAKE3(domain ‖ deal ‖ encode(segments))."""
    return blake3(_ID_DOMAIN + bytes(deal) + encode(to_map(segments))).digest()


def _signed(identity: bytes) -> bytes:
    return CONTEXT.encode() + b"\x00" + identity


def sign_verification(key: KeyPair, deal: CID, segments: list[SegmentEntry]) -> Verification:
    """The verification by the super node whose identity is `key`."""
    identity = verification_id(deal, segments)
    return Verification(id=identity, super=key.public, sig=key.sign(_signed(identity)))


def verify_verification(
    verification: Verification, deal: CID, segments: list[SegmentEntry]
) -> None:
    """Raise SignatureError unless it is of this deal and these segments, signed as it says.

    That `verification.super` is a super node of the network is for the caller to check.
    """
    expected = verification_id(deal, segments)
    if verification.id != expected:
        raise SignatureError(
            f"verification {verification.id.hex()[:16]}: this deal with these segments has "
            f"{expected.hex()[:16]}; have it verified again"
        )
    what = f"verification {expected.hex()[:16]}"
    verify(verification.super, _signed(expected), verification.sig, what)
