"""How a file is cut into deals, and what a deal escrows (docs/wire.md section 2)."""

from collections.abc import Iterable
from dataclasses import dataclass

from cybervein_protocol.coding import SEGMENT_PLAIN, SegmentShape, segment_count, segment_shape
from cybervein_protocol.ledger.accounts.fees import deal_escrow, size_kib
from cybervein_protocol.ledger.units.genesis import Genesis
from cybervein_protocol.ledger.units.unit import required_fee
from cybervein_protocol.names import Veins
from cybervein_protocol.presets import Preset

from cybervein_client.ledger.fees import small_fees

STREAM_DEAL_GROWTH = 4
SHARD_ENTRY_BYTES = 176
"""A `ShardEntry` in a `deal.commit`, encoded: four short keys, 32 + 32 + 64 bytes, a number."""
SEGMENT_ENTRY_BYTES = 96
REPAIR_KEY_BYTES = 32
COMMIT_FRAME_BYTES = 4096
"""The rest of the unit: parents, signatures, verification, the repair boxes' frames."""


@dataclass(frozen=True, slots=True)
class DealPlan:
    """A deal of segments `first` to `first + segments - 1`, `shard_kib` and `size` in all."""

    ordinal: int
    first: int
    segments: int
    size: int
    shard_kib: int

    def escrow(self, epochs: int, preset: Preset) -> Veins:
        """Veins to escrow for that many epochs."""
        return deal_escrow(self.shard_kib, epochs, preset)


def deal_price(plan: DealPlan, epochs: int, n: int, genesis: Genesis) -> Veins:
    """A deal's escrow, with the fees of opening and committing it."""
    fees = small_fees(1, genesis.preset) + commit_fee(plan.segments, n, genesis)
    return Veins(plan.escrow(epochs, genesis.preset) + fees)


def kib_of(sizes: Iterable[int]) -> int:
    """Σ ceil(size / 1024): each shard is charged in whole KiB."""
    return sum(size_kib(size) for size in sizes)


def segments_per_deal(n: int, preset: Preset, super_nodes: int) -> int:
    """How many segments of n shards a deal takes: its commit must fit into one unit."""
    room = preset.unit_bytes_max - COMMIT_FRAME_BYTES
    return max(1, min(preset.deal_segments_max, room // _segment_bytes(n, super_nodes)))


def commit_bytes(segments: int, n: int, super_nodes: int) -> int:
    """At most that many bytes has the `deal.commit` of so many segments of n shards."""
    return COMMIT_FRAME_BYTES + segments * _segment_bytes(n, super_nodes)


def commit_fee(segments: int, n: int, genesis: Genesis) -> Veins:
    """At most that much costs the commit of a deal, beside its escrow."""
    size = commit_bytes(segments, n, len(genesis.super_nodes))
    return required_fee(size, genesis.preset)


def _segment_bytes(n: int, super_nodes: int) -> int:
    return SEGMENT_ENTRY_BYTES + n * SHARD_ENTRY_BYTES + super_nodes * REPAIR_KEY_BYTES


def plan_deal(  # noqa: PLR0913 -- the facts of one deal, by name
    ordinal: int, first: int, *, plaintext: int | None, k: int, n: int, most: int
) -> DealPlan:
    """The deal that starts at segment `first` of a file of `plaintext` bytes (None: a stream).

    `most` segments fit into a deal (`segments_per_deal`).

    A stream's deals grow: 1, 4, 16, … segments, so that a short one does not escrow a long one's.
    """
    if plaintext is None:
        count = min(STREAM_DEAL_GROWTH**ordinal, most)
        shapes = [SegmentShape(SEGMENT_PLAIN, k, n, last=False)] * count
    else:
        count = min(segment_count(plaintext) - first, most)
        shapes = [segment_shape(plaintext, first + i, k, n) for i in range(count)]
    shards = [shape.shard_size for shape in shapes for _ in range(n)]
    return DealPlan(ordinal, first, count, sum(shards), kib_of(shards))
