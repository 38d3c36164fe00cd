"""What units say of deals and their shards."""

from typing import Annotated, ClassVar

import msgspec
from multiformats import CID

from cybervein_protocol.encoding import U8, U32, U63, Amount, Bytes32, Bytes64
from cybervein_protocol.ledger.units.body import Body, Label, Positive
from cybervein_protocol.messages.deals import SegmentEntry, Verification


class DealOpen(Body):
    """`deal.open`: escrow for `size` bytes of shards at most, over `epochs`."""

    kind: ClassVar[str] = "deal.open"
    size: U63
    segments: Positive
    k: U8
    n: U8
    epochs: Positive
    escrow: Amount


class DealCommit(Body):
    """`deal.commit`: where every shard is, under receipts and a super node's verification."""

    kind: ClassVar[str] = "deal.commit"
    deal: CID
    repair: Annotated[bytes, msgspec.Meta(max_length=1 << 20)]
    segments: Annotated[list[SegmentEntry], msgspec.Meta(min_length=1, max_length=4096)]
    verification: Verification


class DealRenew(Body):
    """`deal.renew`: more epochs for more escrow."""

    kind: ClassVar[str] = "deal.renew"
    deal: CID
    epochs: Positive
    escrow: Amount


class DealClose(Body):
    """`deal.close`: the deal ends now, the rest of its escrow returns."""

    kind: ClassVar[str] = "deal.close"
    deal: CID


class ShardMoved(Body):
    """`shard.moved`: a shard was copied or rebuilt at `to`; `receipt` is the new miner's."""

    kind: ClassVar[str] = "shard.moved"
    deal: CID
    segment: U32
    index: U8
    from_: Bytes32 = msgspec.field(name="from")
    to: Bytes32
    root: Bytes32
    receipt: Bytes64


class ShardLost(Body):
    """`shard.lost`: missing beyond the grace; payment for it stops."""

    kind: ClassVar[str] = "shard.lost"
    deal: CID
    segment: U32
    index: U8
    from_: Bytes32 = msgspec.field(name="from")
    reason: Label
