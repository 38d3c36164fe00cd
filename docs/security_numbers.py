# ruff: noqa: INP001, RUF001 -- a script beside its page; the page uses Greek letters
"""Computes the numbers of docs/security.md: `python docs/security_numbers.py`.

Rewrites the part of the page between its markers; `--check` only compares. Nothing is timed: the
plot rate is an input, stated in the page (docs of the bench say how it is measured).
"""

import math
import random
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from cybervein_protocol.names import GIB, MIB
from cybervein_protocol.presets import MAIN, Preset
from cybervein_protocol.space.graph import chain_parent, parents
from cybervein_protocol.space.shape import DEGREE, PlotShape

PAGE = Path(__file__).with_name("security.md")
BEGIN, END = "<!-- numbers: begin -->\n", "<!-- numbers: end -->\n"
PLOT_RATE_MIB = 60
"""MiB of plot per second and core of a current server core, rounded; see bench/races/plot.py."""

Vector = list[float]


def second_singular_value(b: int, steps: int = 80) -> float:
    """Of the 2^b x 2^b matrix whose row i has ones at i's seven parents, by Lanczos iteration.

    The largest is 7, of the vector of ones, which is projected out. Deterministic start.
    """
    forward = [parents(i, b) for i in range(1 << b)]
    backward: list[list[int]] = [[] for _ in forward]
    for i, row in enumerate(forward):
        for parent in row:
            backward[parent].append(i)
    diagonal, beside = _lanczos(forward, backward, steps)
    return math.sqrt(_largest_eigenvalue(diagonal, beside, DEGREE**2))


def _lanczos(
    forward: Sequence[Sequence[int]], backward: Sequence[Sequence[int]], steps: int
) -> tuple[Vector, Vector]:
    """The tridiagonal matrix of `steps` Lanczos steps on M^T M, orthogonal to ones."""
    chance = random.Random(1)  # noqa: S311 -- any start vector will do, always the same one
    v = _unit(_centred([chance.gauss(0, 1) for _ in forward]))
    before, beta = [0.0] * len(v), 0.0
    diagonal, beside = [], []
    for _ in range(steps):
        w = _centred(_times(backward, _times(forward, v)))
        alpha = _dot(v, w)
        w = [x - alpha * y - beta * z for x, y, z in zip(w, v, before, strict=True)]
        beta = math.sqrt(_dot(w, w))
        diagonal.append(alpha)
        beside.append(beta)
        before, v = v, [x / beta for x in w]
    return diagonal, beside


def _times(rows: Sequence[Sequence[int]], v: Vector) -> Vector:
    return [sum([v[place] for place in row]) for row in rows]


def _dot(v: Vector, w: Vector) -> float:
    return sum([x * y for x, y in zip(v, w, strict=True)])


def _centred(v: Vector) -> Vector:
    mean = sum(v) / len(v)
    return [x - mean for x in v]


def _unit(v: Vector) -> Vector:
    length = math.sqrt(_dot(v, v))
    return [x / length for x in v]


def _largest_eigenvalue(diagonal: Vector, beside: Vector, bound: float) -> float:
    """Bisection on the number of eigenvalues above a value (Sturm's count)."""
    low, high = 0.0, bound
    for _ in range(60):
        middle = (low + high) / 2
        if _any_above(diagonal, beside, middle):
            low = middle
        else:
            high = middle
    return low


def _any_above(diagonal: Vector, beside: Vector, value: float) -> bool:
    q = diagonal[0] - value
    for alpha, beta in zip(diagonal[1:], beside, strict=False):
        if q > 0:
            return True
        q = alpha - value - beta * beta / (q or -1e-300)
    return q > 0


def spectral_neighbours(alpha: float, degree: int, sigma: float) -> float:
    """Tanner's bound: a share `alpha` of rows has at least this share as parents."""
    return alpha * degree**2 / (sigma**2 + alpha * (degree**2 - sigma**2))


def proven_neighbours(alpha: float, degree: int) -> float:
    """The share of parents of every set of a share `alpha`, in almost all random graphs.

    Union bound over graphs made of `degree` random permutations (Chung; Ren and Devadas):
    H(alpha) + H(beta) + degree (beta H(alpha/beta) - H(alpha)) < 0. At least alpha itself.
    """
    low, high = alpha, 1.0
    for _ in range(50):
        beta = (low + high) / 2
        chance = _entropy(alpha) + _entropy(beta)
        chance += degree * (beta * _entropy(alpha / beta) - _entropy(alpha))
        low, high = (beta, high) if chance < 0 else (low, beta)
    return low


def _entropy(p: float) -> float:
    return 0.0 if p in {0.0, 1.0} else -p * math.log2(p) - (1 - p) * math.log2(1 - p)


def recomputed_share(shape: PlotShape, missing: Sequence[int]) -> float:
    """Labels to compute again, as a share of the k n of a whole plot.

    All rows of the last layer but `missing` are stored: this is the size of what those depend on.
    """
    todo = [(i, shape.k) for i in missing]
    absent, seen = set(missing), set(todo)
    while todo:
        i, layer = todo.pop()
        for source in (i, *parents(i, shape.b), chain_parent(i, shape.b)):
            at = layer if source < i else layer - 1
            stored = at == 0 or (at == shape.k and source not in absent)
            if not stored and (source, at) not in seen:
                seen.add((source, at))
                todo.append((source, at))
    return len(seen) / (shape.k * shape.rows)


def undetected(share: float, rows: int) -> float:
    """The chance that a plot with that share of wrong rows passes a commit audit of `rows` rows."""
    return (1 - share) ** rows


def lines(preset: Preset = MAIN) -> Iterator[str]:
    """The generated part of the page."""
    yield "### Expansion\n\n"
    yield "Second singular value of the seven-parent graph; Ramanujan's bound is "
    yield f"2√6 = {2 * math.sqrt(DEGREE - 1):.3f}:\n\n| b | σ₂ |\n|---|---|\n"
    for b in range(10, 15):
        yield f"| {b} | {second_singular_value(b):.3f} |\n"
    yield "\nShare of rows that a share α of rows has as parents, at least. The first column is "
    yield "Tanner's spectral bound with σ₂ = 4.9, the others hold for almost all graphs of "
    yield "d random permutations (union bound):\n\n"
    yield "| α | d = 7, spectral | d = 7 | d = 24 | d = 64 |\n|---|---|---|---|---|\n"
    for alpha in (0.01, 0.05, 0.1, 0.2, 0.3, 0.5):
        proven = (f"{proven_neighbours(alpha, d):.3f}" for d in (7, 24, 64))
        yield f"| {alpha} | {spectral_neighbours(alpha, 7, 4.9):.3f} | {' | '.join(proven)} |\n"
    yield from _miss_lines(preset)
    yield from _audit_lines(preset)


def _miss_lines(preset: Preset) -> Iterator[str]:
    """What one missing row costs, and what can be spoofed."""
    yield "\n### One missing row\n\n"
    yield "Labels to recompute for one missing row when every other row is stored, as a share of "
    yield "plotting again (mean of 8 rows, k = 8):\n\n| b | share |\n|---|---|\n"
    for b in (8, 10, 12):
        shape, chance = PlotShape(b, 8), random.Random(b)  # noqa: S311 -- a reproducible sample
        rows = [chance.randrange(shape.rows) for _ in range(8)]
        mean = sum(recomputed_share(shape, [row]) for row in rows) / len(rows)
        yield f"| {b} | {mean:.3f} |\n"
    shape = PlotShape(preset.plot_rows_log2, preset.plot_layers)
    seconds = shape.plot_bytes / MIB / PLOT_RATE_MIB
    spoofed = PLOT_RATE_MIB * MIB * preset.proof_deadline_seconds
    busy = preset.proof_deadline_seconds / preset.epoch_seconds
    yield f"\nPreset `main`, at {PLOT_RATE_MIB} MiB/s and core:\n\n"
    yield "| quantity | value |\n|---|---|\n"
    yield f"| core-seconds to answer one missed challenge | {seconds:.0f} |\n"
    yield f"| deadline, seconds | {preset.proof_deadline_seconds} |\n"
    yield f"| spoofable space per core, GiB | {spoofed / GIB:.1f} |\n"
    yield f"| share of the epoch that the core is busy with it | {busy:.0%} |\n"
    yield f"| core-hours a month for it | {busy * 730:.0f} |\n"


def _audit_lines(preset: Preset) -> Iterator[str]:
    """What commit audits and the estimate let through."""
    q = preset.commit_rows_drawn
    yield "\n### Commit audits and the estimate\n\n"
    yield f"A plot passes {q} drawn rows, and a batch of 32 "
    yield "drawn plots passes all of them, with a share f of its rows wrong:\n\n"
    yield "| f | one plot | 32 plots |\n|---|---|---|\n"
    for share in (0.001, 0.005, 0.01, 0.05):
        one, all_plots = undetected(share, q), undetected(share, 32 * q)
        yield f"| {share:.1%} | {one:.3f} | {all_plots:.2e} |\n"
    m, window = preset.answers_max, preset.space_window_epochs
    single = 1 / math.sqrt(m - 2)
    yield f"\nStandard deviation of the estimated space with m = {m}: {single:.1%} in one epoch, "
    yield f"{single / math.sqrt(window):.1%} in the mean of {window} epochs.\n"


def main() -> int:
    """Rewrite or check the page; 1 if it differs."""
    page = PAGE.read_text()
    head, _, rest = page.partition(BEGIN)
    _, _, tail = rest.partition(END)
    made = head + BEGIN + "\n" + "".join(lines()) + "\n" + END + tail
    if "--check" in sys.argv:
        return int(made != page)
    PAGE.write_text(made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
