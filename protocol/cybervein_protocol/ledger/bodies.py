"""What units say: one Record per kind, with its bounds (docs/wire.md section 2).

Bounds that a preset sets (plots of a batch, segments of a deal) are checked by the state machine;
the bounds here keep any body small enough to look at. Amounts are veins, sizes bytes.
"""

from typing import Annotated, Final, Literal

import msgspec
from multiformats import CID

from cybervein_protocol.encoding import U8, U32, U63, Bytes32, Bytes64, Record, U64Bytes
from cybervein_protocol.messages.deals import SegmentEntry, ShardEntry, Verification

__all__ = ["KINDS", "SegmentEntry", "ShardEntry", "Verification"]

NO_ANSWER: Final = "no answer"
"""Reason of a `plot.verdict` that voids a batch without burning its bond."""

Url = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
Label = Annotated[str, msgspec.Meta(max_length=64)]
VrfProof = Annotated[bytes, msgspec.Meta(min_length=80, max_length=80)]
Positive = Annotated[int, msgspec.Meta(ge=1, le=0x7FFF_FFFF_FFFF_FFFF)]
Outcome = Literal["passed", "wrong", "timeout", "verifier"]


class Transfer(Record):
    """`transfer`: the issuer pays `amount` to `to`."""

    to: Bytes32
    amount: Positive
    memo: Label


class MinerRegister(Record):
    """`miner.register`: the issuer is a miner; rewards go to `payout`."""

    vrf: Bytes32
    payout: Bytes32
    url: Url
    group: Label
    owner: Label


class MinerUpdate(Record):
    """`miner.update`: new payout account and URL."""

    payout: Bytes32
    url: Url


class MinerDrain(Record):
    """`miner.drain`: the miner wants to be relieved of all it holds, or does so no more."""

    draining: bool


class PlotEntry(Record):
    """A plot's index and its two commitments: columns (kappa) and space root (gamma)."""

    index: U63
    kappa: Bytes32
    gamma: Bytes32


class PlotBatch(Record):
    """`plot.batch`: new plots under a bond; `bond` is what is paid of it now."""

    plots: Annotated[list[PlotEntry], msgspec.Meta(min_length=1, max_length=4096)]
    bond: U63


class PlotRetire(Record):
    """`plot.retire`: plots, by mu, that stop counting at once."""

    plots: Annotated[list[Bytes32], msgspec.Meta(min_length=1, max_length=4096)]


class PlotVerdict(Record):
    """`plot.verdict`: a super node's judgement of a batch's commit proofs."""

    batch: CID
    epoch: U63
    passed: bool
    reason: Label
    evidence: Bytes32


class SpaceEntry(Record):
    """One miner's accepted space proof: answers sent, the estimate, its smallest quality."""

    miner: Bytes32
    sent: U63
    estimate: U63
    smallest: U64Bytes
    vrf_proof: VrfProof
    evidence: Bytes32
    miner_sig: Bytes64


class SpaceResult(Record):
    """`space.result`: space proofs accepted in `epoch`."""

    epoch: U63
    results: Annotated[list[SpaceEntry], msgspec.Meta(min_length=1, max_length=4096)]


class BandwidthEntry(Record):
    """One miner's measured bandwidth."""

    miner: Bytes32
    bytes_per_second: U63
    evidence: Bytes32


class BandwidthResult(Record):
    """`bandwidth.result`: measurements of `epoch`."""

    epoch: U63
    results: Annotated[list[BandwidthEntry], msgspec.Meta(min_length=1, max_length=4096)]


class AuditEntry(Record):
    """One miner's audit: chunks challenged and good; `miner_sig` is empty without an answer."""

    miner: Bytes32
    outcome: Outcome
    challenged: U32
    good: U32
    holding: Bytes32
    evidence: Bytes32
    miner_sig: Annotated[bytes, msgspec.Meta(max_length=64)]


class AuditResult(Record):
    """`audit.result`: possession audits of `epoch`."""

    epoch: U63
    results: Annotated[list[AuditEntry], msgspec.Meta(min_length=1, max_length=4096)]


class DealOpen(Record):
    """`deal.open`: escrow for `size` bytes of shards at most, over `epochs`."""

    size: U63
    segments: Positive
    k: U8
    n: U8
    epochs: Positive
    escrow: U63


class DealCommit(Record):
    """`deal.commit`: where every shard is, under receipts and a super node's verification."""

    deal: CID
    repair: Annotated[bytes, msgspec.Meta(max_length=1 << 20)]
    segments: Annotated[list[SegmentEntry], msgspec.Meta(min_length=1, max_length=4096)]
    verification: Verification


class DealRenew(Record):
    """`deal.renew`: more epochs for more escrow."""

    deal: CID
    epochs: Positive
    escrow: U63


class DealClose(Record):
    """`deal.close`: the deal ends now, the rest of its escrow returns."""

    deal: CID


class ShardMoved(Record):
    """`shard.moved`: a shard was copied or rebuilt at `to`; `receipt` is the new miner's."""

    deal: CID
    segment: U32
    index: U8
    from_: Bytes32 = msgspec.field(name="from")
    to: Bytes32
    root: Bytes32
    receipt: Bytes64


class ShardLost(Record):
    """`shard.lost`: missing beyond the grace; payment for it stops."""

    deal: CID
    segment: U32
    index: U8
    from_: Bytes32 = msgspec.field(name="from")
    reason: Label


class EpochClose(Record):
    """`epoch.close`: settles `epoch` and, by its VRF proof, sets the next beacon."""

    epoch: U63
    vrf_proof: VrfProof


Body = (
    Transfer
    | MinerRegister
    | MinerUpdate
    | MinerDrain
    | PlotBatch
    | PlotRetire
    | PlotVerdict
    | SpaceResult
    | BandwidthResult
    | AuditResult
    | DealOpen
    | DealCommit
    | DealRenew
    | DealClose
    | ShardMoved
    | ShardLost
    | EpochClose
)

KINDS: Final[dict[str, type[Record]]] = {
    "transfer": Transfer,
    "miner.register": MinerRegister,
    "miner.update": MinerUpdate,
    "miner.drain": MinerDrain,
    "plot.batch": PlotBatch,
    "plot.retire": PlotRetire,
    "plot.verdict": PlotVerdict,
    "space.result": SpaceResult,
    "bandwidth.result": BandwidthResult,
    "audit.result": AuditResult,
    "deal.open": DealOpen,
    "deal.commit": DealCommit,
    "deal.renew": DealRenew,
    "deal.close": DealClose,
    "shard.moved": ShardMoved,
    "shard.lost": ShardLost,
    "epoch.close": EpochClose,
}

SUPER_KINDS: Final = frozenset(
    {
        "plot.verdict",
        "space.result",
        "bandwidth.result",
        "audit.result",
        "shard.moved",
        "shard.lost",
        "epoch.close",
    }
)
"""Only a super node of the genesis may issue these; they cost no fee."""

MINER_KINDS: Final = frozenset(
    {"miner.register", "miner.update", "miner.drain", "plot.batch", "plot.retire"}
)
"""These may carry fee 0, `Preset.miner_units_per_epoch` of them per issuer and epoch."""
