"""Possession audits: which chunks are drawn, what the answers mean.

Sampling is over a miner's *whole* holding, weighted by bytes: all 1 KiB chunks of all its shards
are numbered in one row and drawn uniformly without bias and without repetition. The seed binds the
beacon, the miner and the holding root, so neither side can choose. With a lost fraction f and c
samples, at least one hit has probability >= 1-(1-f)^c (Ateniese et al., PDP, 2007, section 5.1).
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate
from typing import Final

from blake3 import blake3

from cybervein_protocol.errors import LimitError

CHUNK_BYTES: Final = 1024
_HOLDING_CONTEXT: Final = "cybervein 2026-11 holding root"
_DRAW_CONTEXT: Final = "cybervein 2026-11 audit draw"
_WORD: Final = 1 << 64
_BLOCK_WORDS: Final = 64


@dataclass(frozen=True, slots=True)
class Held:
    """One shard of a holding: BLAKE3 root (32 bytes) and size in bytes."""

    root: bytes
    size: int

    @property
    def chunks(self) -> int:
        """1 KiB BLAKE3 chunks; an empty shard has one."""
        return max(1, -(-self.size // CHUNK_BYTES))


@dataclass(frozen=True, slots=True)
class Sample:
    """One drawn chunk."""

    root: bytes
    chunk: int


class Outcome(StrEnum):
    """What an audit of a miner came to; kept apart everywhere, because they cost differently."""

    PASSED = "passed"
    """Every drawn chunk verified: paid."""
    WRONG = "wrong"
    """Wrong bytes or admitted loss, with signed evidence: penalty, shards are repaired."""
    TIMEOUT = "timeout"
    """No answer in time: not paid, repair after the grace; no penalty for one doubtful event."""
    VERIFIER = "verifier"
    """The verifier's own error: nothing happens to the miner."""


def holding_root(holding: Iterable[Held]) -> bytes:
    """32 bytes that commit to a holding, whatever its order: hash over sorted root ‖ u64le size."""
    hasher = blake3(derive_key_context=_HOLDING_CONTEXT)
    for held in _sorted(holding):
        hasher.update(held.root + held.size.to_bytes(8, "little"))
    return hasher.digest()


def draw_samples(beacon: bytes, miner: bytes, holding: Sequence[Held], count: int) -> list[Sample]:
    """`count` distinct chunks (all, if the holding has no more), uniform over the holding's chunks.

    Draws are u64 words of an extendable hash; a word in the last, incomplete multiple of the total
    is rejected, so that every chunk has the same probability.
    """
    ordered = _sorted(holding)
    ends = list(accumulate(held.chunks for held in ordered))
    total = ends[-1] if ends else 0
    if total >= _WORD:
        raise LimitError(f"holding of {total} chunks: at most 2^64 - 1 can be drawn from")
    seed = blake3(beacon + miner + holding_root(ordered), derive_key_context=_DRAW_CONTEXT).digest()
    drawn = range(total) if total <= count else _distinct(seed, total, count)
    return [_sample(ordered, ends, number) for number in drawn]


def _sorted(holding: Iterable[Held]) -> list[Held]:
    return sorted(holding, key=lambda held: (held.root, held.size))


def _distinct(seed: bytes, total: int, count: int) -> list[int]:
    """`count` distinct numbers below `total`, in the order drawn."""
    limit = _WORD - _WORD % total
    chosen: dict[int, None] = {}
    block = 0
    while len(chosen) < count:
        stream = blake3(seed).digest(length=_BLOCK_WORDS * 8, seek=block * _BLOCK_WORDS * 8)
        for i in range(0, len(stream), 8):
            word = int.from_bytes(stream[i : i + 8], "little")
            if word < limit and len(chosen) < count:
                chosen.setdefault(word % total)
        block += 1
    return list(chosen)


def _sample(ordered: Sequence[Held], ends: Sequence[int], number: int) -> Sample:
    position = bisect_right(ends, number)
    start = ends[position] - ordered[position].chunks
    return Sample(ordered[position].root, number - start)


def outcome_of(challenged: int, good: int) -> Outcome:
    """Outcome of an *answered* audit: anything less than all is wrong or admitted loss."""
    return Outcome.PASSED if good == challenged else Outcome.WRONG
