"""Rows of miners, their plots and the batches in which those came."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, UnsetType

from cybervein_protocol.encoding import U63, Amount, Bytes32, Record
from cybervein_protocol.names import Veins

Label = Annotated[str, msgspec.Meta(max_length=64)]


class MinerRow(Record, kw_only=True):
    """A miner: plots by state, bond, what it holds, its measurements and its record.

    `plots_pending` wait for a verdict, `plots_passed` count from the next beacon, `plots_active`
    count now. `acc` is veins paid per held KiB since genesis. `space` has one estimate per closed
    epoch, oldest first, at most the preset's window; `space_now` is this epoch's, if
    `space_epoch` is this epoch + 1. `bandwidth` is the slow average in bytes per second, None
    before the first measurement. `audit` is the last real outcome; it counts for payment in the
    epoch before `audit_epoch`. Epoch marks are epoch + 1, 0 meaning never. `draining` is absent
    unless the miner asked to be relieved: rows written before there was a drain stay as they are.
    """

    vrf: Bytes32
    payout: Bytes32
    url: str
    group: Label
    owner: Label
    registered: U63
    plots_pending: U63 = 0
    plots_passed: U63 = 0
    plots_active: U63 = 0
    bonded: Amount = Veins(0)
    held_kib: U63 = 0
    held_shards: U63 = 0
    acc: U63 = 0
    space: list[U63] = msgspec.field(default_factory=list)
    space_now: U63 = 0
    space_epoch: U63 = 0
    bandwidth: U63 | None = None
    bandwidth_epoch: U63 = 0
    audit: Literal["passed", "wrong", "timeout", ""] = ""
    audit_epoch: U63 = 0
    penalty_epoch: U63 = 0
    audits_passed: U63 = 0
    audits_wrong: U63 = 0
    audits_timeout: U63 = 0
    audits_verifier: U63 = 0
    chunks_challenged: U63 = 0
    chunks_good: U63 = 0
    proofs: U63 = 0
    rewards: Amount = Veins(0)
    fees: Amount = Veins(0)
    penalties: Amount = Veins(0)
    draining: Literal[True] | UnsetType = UNSET

    @property
    def drains(self) -> bool:
        """Whether nothing new is placed here and super nodes move away what it holds."""
        return self.draining is True

    @property
    def plots_live(self) -> int:
        """Plots under bond: pending, passed and active."""
        return self.plots_pending + self.plots_passed + self.plots_active

    @property
    def domain(self) -> tuple[str, str]:
        """The failure domain: group and owner."""
        return (self.group, self.owner)


class PlotRow(Record):
    """One live plot: its miner and batch, index and commitments."""

    miner: Bytes32
    batch: Bytes32
    index: U63
    kappa: Bytes32
    gamma: Bytes32


class BatchRow(Record):
    """A batch: `pending` since `registered`, then `active` from epoch `counts_from`, or `void`.

    `plots` are the indices it came with (mu follows from miner and index); `live` of them are
    neither retired nor void.
    """

    miner: Bytes32
    registered: U63
    plots: Annotated[list[U63], msgspec.Meta(max_length=4096)]
    live: U63
    state: Literal["pending", "active", "void"]
    counts_from: U63
    reason: Label
