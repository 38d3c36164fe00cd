"""The fewest miners with whom a file can still be read."""

from collections import Counter
from collections.abc import Iterable, Mapping

Segments = Mapping[tuple[str, int], frozenset[str]]
"""Holders by deal and segment."""


def fewest(segments: Segments, k: int, first: str) -> frozenset[str]:
    """Miners that hold k shards of every segment, `first` among them; none can be left out.

    Whoever helps most is taken next, and who turned out superfluous is dropped again: a small set,
    not always the smallest.
    """
    kept = {first}
    while missing := [holders for holders in segments.values() if len(holders & kept) < k]:
        helps = Counter(miner for holders in missing for miner in sorted(holders - kept))
        if not helps:
            return frozenset(kept)  # no k holders are left: the read will say so
        kept.add(helps.most_common(1)[0][0])
    for miner in sorted(kept - {first}):
        if _enough(segments.values(), kept - {miner}, k):
            kept.discard(miner)
    return frozenset(kept)


def _enough(segments: Iterable[frozenset[str]], kept: set[str], k: int) -> bool:
    return all(len(holders & kept) >= k for holders in segments)
