"""What units say of miners and their plots."""

from typing import Annotated, ClassVar, Final

import msgspec
from multiformats import CID

from cybervein_protocol.encoding import U63, Amount, Bytes32, Record
from cybervein_protocol.ledger.units.body import Body, Label, Url

NO_ANSWER: Final = "no answer"
"""Reason of a `plot.verdict` that voids a batch without burning its bond."""


class MinerRegister(Body):
    """`miner.register`: the issuer is a miner; rewards go to `payout`."""

    kind: ClassVar[str] = "miner.register"
    vrf: Bytes32
    payout: Bytes32
    url: Url
    group: Label
    owner: Label


class MinerUpdate(Body):
    """`miner.update`: new payout account and URL."""

    kind: ClassVar[str] = "miner.update"
    payout: Bytes32
    url: Url


class MinerDrain(Body):
    """`miner.drain`: the miner wants to be relieved of all it holds, or no longer does."""

    kind: ClassVar[str] = "miner.drain"
    draining: bool


class PlotEntry(Record):
    """A plot's index and its two commitments: columns (kappa) and space root (gamma)."""

    index: U63
    kappa: Bytes32
    gamma: Bytes32


class PlotBatch(Body):
    """`plot.batch`: new plots under a bond; `bond` is what is paid of it now."""

    kind: ClassVar[str] = "plot.batch"
    plots: Annotated[list[PlotEntry], msgspec.Meta(min_length=1, max_length=4096)]
    bond: Amount


class PlotRetire(Body):
    """`plot.retire`: plots, by mu, that stop counting at once."""

    kind: ClassVar[str] = "plot.retire"
    plots: Annotated[list[Bytes32], msgspec.Meta(min_length=1, max_length=4096)]


class PlotVerdict(Body):
    """`plot.verdict`: a super node's judgement of a batch's commit proofs."""

    kind: ClassVar[str] = "plot.verdict"
    batch: CID
    epoch: U63
    passed: bool
    reason: Label
    evidence: Bytes32
