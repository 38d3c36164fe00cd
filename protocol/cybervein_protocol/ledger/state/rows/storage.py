"""Rows of deals and of the shards that miners hold for them."""

from typing import Literal

from cybervein_protocol.encoding import U8, U63, Amount, Bytes32, Record


class DealRow(Record):
    """A deal. `expires`: epoch at whose beginning it ends (an open one: is refunded).

    `spent` is what is settled; what live shards have cost since is in the miners' accumulators.
    """

    owner: Bytes32
    state: Literal["open", "active", "ended"]
    size: U63
    segments: U63
    k: U8
    n: U8
    epochs: U63
    escrow: Amount
    spent: Amount
    refunded: Amount
    kib: U63
    lost: U63
    opened: U63
    committed: U63
    expires: U63


class ShardRow(Record):
    """Who holds a shard, since which accumulator value; `lost` ones are not paid."""

    root: Bytes32
    miner: Bytes32
    size: U63
    acc: U63
    since: U63
    lost: bool

    @property
    def kib(self) -> int:
        """KiB that are paid for: size rounded up."""
        return -(-self.size // 1024)
