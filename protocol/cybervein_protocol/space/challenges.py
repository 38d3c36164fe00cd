"""Challenges: what a beacon asks of each plot and of each batch of new plots.

    s   = derive_key("cybervein 2026-11 challenge", beacon ‖ plot_id)
    row = u64le(s[0:8]) mod n
    x   = u64le(derive_key("cybervein 2026-11 quality", s ‖ row bytes)[0:8])

A commit audit draws min(all, 32) plots of a batch by a Fisher-Yates shuffle and q rows of each with
replacement (a row drawn twice is proved once), so a plot of which a share f of rows is wrong passes
with probability (1-f)^q at most:

    pick_j = u64le j-th of derive_key("cybervein 2026-11 commit plots", beacon ‖ batch)
    row_j  = u64le j-th of derive_key("cybervein 2026-11 commit rows", beacon ‖ batch ‖ plot_id)
"""

from collections.abc import Sequence

from cybervein_protocol.space.seed import derive

CHALLENGE_CONTEXT = "cybervein 2026-11 challenge"
QUALITY_CONTEXT = "cybervein 2026-11 quality"
COMMIT_PLOTS_CONTEXT = "cybervein 2026-11 commit plots"
COMMIT_ROWS_CONTEXT = "cybervein 2026-11 commit rows"
QUALITY_LIMIT = 1 << 64
"""A quality is a uniform integer in [0, 2^64)."""


def challenge(beacon: bytes, plot_id: bytes, n: int) -> tuple[bytes, int]:
    """(s, row): the 32-byte challenge of a plot of n rows, and the row it asks for."""
    s = derive(CHALLENGE_CONTEXT, beacon + plot_id)
    return s, int.from_bytes(s[:8], "little") % n


def quality(s: bytes, row_bytes: bytes) -> int:
    """The quality x of a row under a challenge; smaller is better."""
    return int.from_bytes(derive(QUALITY_CONTEXT, s + row_bytes, 8), "little")


def draw_commit_challenges(  # noqa: PLR0913 -- the draw's six inputs, as in the docs
    beacon: bytes, batch_id: bytes, plot_ids: Sequence[bytes], *, max_plots: int, q: int, n: int
) -> list[tuple[int, tuple[int, ...]]]:
    """[(position in `plot_ids`, rows)]: positions ascending, rows ascending and unique."""
    drawn = sorted(_sample(beacon + batch_id, len(plot_ids), max_plots))
    return [(position, _rows(beacon + batch_id + plot_ids[position], q, n)) for position in drawn]


def _sample(material: bytes, population: int, most: int) -> list[int]:
    """min(population, most) distinct positions: the head of a Fisher-Yates shuffle.

    The bias of `mod` is below population / 2^64.
    """
    count = min(population, most)
    picks = _words(COMMIT_PLOTS_CONTEXT, material, count)
    order = list(range(population))
    for j, pick in enumerate(picks):
        other = j + pick % (population - j)
        order[j], order[other] = order[other], order[j]
    return order[:count]


def _rows(material: bytes, q: int, n: int) -> tuple[int, ...]:
    """Q rows with replacement, ascending, each once."""
    return tuple(sorted({word % n for word in _words(COMMIT_ROWS_CONTEXT, material, q)}))


def _words(context: str, material: bytes, count: int) -> list[int]:
    """The first `count` u64le of a derived stream."""
    stream = derive(context, material, 8 * count)
    return [int.from_bytes(stream[8 * j : 8 * j + 8], "little") for j in range(count)]
