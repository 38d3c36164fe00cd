"""From timed reads to bytes per second: pure.

The median of per-second sums, so that neither a burst nor a stall decides. A test shorter than a
second (a saturated uplink ends it early) counts its bytes over its time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median_low

_SHORT_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Read:
    """One verified read: seconds after the test began when it was complete, and its bytes."""

    at_seconds: float
    bytes: int


def bytes_per_second(reads: Sequence[Read], elapsed_seconds: float) -> int:
    """The measured rate; `elapsed_seconds` is the whole test's time. 0 without a good read."""
    if not reads or elapsed_seconds <= 0:
        return 0
    total = sum(read.bytes for read in reads)
    if elapsed_seconds < _SHORT_SECONDS:
        return int(total / elapsed_seconds)
    sums = [0] * int(elapsed_seconds)
    for read in reads:
        second = int(read.at_seconds)
        if second < len(sums):
            sums[second] += read.bytes
    return median_low(sums)
