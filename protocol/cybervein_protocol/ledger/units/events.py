"""What a block did beyond its units: for views and metrics, not part of the state."""

from typing import Literal

from cybervein_protocol.encoding import U63, Amount, Bytes32, Record


class Contribution(Record):
    """One miner in one closed epoch. `space_bytes` is N, `bandwidth` M in bytes per second."""

    miner: Bytes32
    payout: Bytes32
    estimate: U63
    space_bytes: U63
    bandwidth: U63
    weight: U63
    reward: Amount
    bond_filled: Amount
    held_kib: U63
    fees: Amount
    audit: str


class EpochClosed(Record):
    """An epoch was settled; `weight` is the sum over contributions above the threshold."""

    epoch: U63
    beacon: Bytes32
    next_beacon: Bytes32
    weight: U63
    minted: Amount
    contributions: list[Contribution]


class BatchJudged(Record):
    """A batch left `pending`."""

    batch: Bytes32
    miner: Bytes32
    state: Literal["active", "void"]
    reason: str
    burnt: Amount


class DealEnded(Record):
    """A deal ended: closed, expired, or an open one that was not committed in time."""

    deal: Bytes32
    owner: Bytes32
    reason: Literal["closed", "expired", "unclaimed"]
    spent: Amount
    refunded: Amount


class MinerPenalised(Record):
    """A bond paid for a proven fault."""

    miner: Bytes32
    burnt: Amount
    reason: str


class ShardPlaced(Record):
    """A shard row changed its miner (`to`), or was given up (`to` empty)."""

    deal: Bytes32
    segment: U63
    index: U63
    source: Bytes32
    to: bytes


Event = EpochClosed | BatchJudged | DealEnded | MinerPenalised | ShardPlaced
