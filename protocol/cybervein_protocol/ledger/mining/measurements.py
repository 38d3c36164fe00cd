"""What units say of measurements: space, bandwidth, possession."""

from typing import Annotated, ClassVar, Literal

import msgspec

from cybervein_protocol.encoding import U32, U63, Bytes32, Bytes64, Record, U64Bytes
from cybervein_protocol.ledger.units.body import Body, VrfProof

Outcome = Literal["passed", "wrong", "timeout", "verifier"]


class SpaceEntry(Record):
    """One miner's accepted space proof: answers sent, the estimate, its smallest quality."""

    miner: Bytes32
    sent: U63
    estimate: U63
    smallest: U64Bytes
    vrf_proof: VrfProof
    evidence: Bytes32
    miner_sig: Bytes64


class SpaceResult(Body):
    """`space.result`: space proofs accepted in `epoch`."""

    kind: ClassVar[str] = "space.result"
    epoch: U63
    results: Annotated[list[SpaceEntry], msgspec.Meta(min_length=1, max_length=4096)]


class BandwidthEntry(Record):
    """One miner's measured bandwidth."""

    miner: Bytes32
    bytes_per_second: U63
    evidence: Bytes32


class BandwidthResult(Body):
    """`bandwidth.result`: measurements of `epoch`."""

    kind: ClassVar[str] = "bandwidth.result"
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


class AuditResult(Body):
    """`audit.result`: possession audits of `epoch`."""

    kind: ClassVar[str] = "audit.result"
    epoch: U63
    results: Annotated[list[AuditEntry], msgspec.Meta(min_length=1, max_length=4096)]
