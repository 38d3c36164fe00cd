"""How a file is cut into deals, and what a deal escrows (docs/wire.md section 2)."""

from collections.abc import Iterable
from dataclasses import dataclass

from cybervein_protocol.coding import SEGMENT_PLAIN, SegmentShape, segment_count, segment_shape
from cybervein_protocol.names import KIB
from cybervein_protocol.presets import Preset

STREAM_DEAL_GROWTH = 4


@dataclass(frozen=True, slots=True)
class DealPlan:
    """A deal of segments `first` to `first + segments - 1`, `shard_kib` and `size` in all."""

    ordinal: int
    first: int
    segments: int
    size: int
    shard_kib: int

    def escrow(self, epochs: int, preset: Preset) -> int:
        """Veins to escrow for that many epochs."""
        return escrow_veins(self.shard_kib, epochs, preset)


def escrow_veins(shard_kib: int, epochs: int, preset: Preset) -> int:
    """Storage for `epochs` and the bandwidth of the upload, for shards of so many KiB."""
    storage = shard_kib * epochs * preset.price_veins_per_kib_epoch
    return storage + shard_kib * preset.ingress_veins_per_kib


def kib_of(sizes: Iterable[int]) -> int:
    """Σ ceil(size / 1024): each shard is charged in whole KiB."""
    return sum(-(-size // KIB) for size in sizes)


def plan_deal(  # noqa: PLR0913, PLR0917 -- the facts of one deal
    ordinal: int, first: int, plaintext: int | None, k: int, n: int, preset: Preset
) -> DealPlan:
    """The deal that starts at segment `first` of a file of `plaintext` bytes (None: a stream).

    A stream's deals grow: 1, 4, 16, … segments, so that a short one does not escrow a long one's.
    """
    if plaintext is None:
        count = min(STREAM_DEAL_GROWTH**ordinal, preset.deal_segments_max)
        shapes = [SegmentShape(SEGMENT_PLAIN, k, n, last=False)] * count
    else:
        count = min(segment_count(plaintext) - first, preset.deal_segments_max)
        shapes = [segment_shape(plaintext, first + i, k, n) for i in range(count)]
    shards = [shape.shard_size for shape in shapes for _ in range(n)]
    return DealPlan(ordinal, first, count, sum(shards), kib_of(shards))
