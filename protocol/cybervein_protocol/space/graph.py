"""The graph: seven public bijections of the rows, from which a layer takes its parents.

The source is Ren and Devadas, "Proof of Space from Stacked Expanders" (TCC 2016): between layers
lies a localized bipartite expander. Here its edges are seven bijections pi_1..pi_7 of [0, n), each
four rounds r = 0..3 of

    x = (x * mul + add) mod n;  x = x xor (x >> ceil(b/2))

with `mul` (made odd) and `add` the first two u32le of
derive_key("cybervein 2026-11 graph", u8 d ‖ u8 r). An odd multiplier and a right shift are both
bijective modulo a power of two, so pi is. docs/security.md gives the measured expansion.
"""

from functools import cache

from cybervein_protocol.space.seed import derive
from cybervein_protocol.space.shape import DEGREE

GRAPH_CONTEXT = "cybervein 2026-11 graph"
ROUNDS = 4


@cache
def round_constants(d: int) -> tuple[tuple[int, int], ...]:
    """The four (mul, add) pairs of bijection d = 0..6."""
    pairs = []
    for r in range(ROUNDS):
        words = derive(GRAPH_CONTEXT, bytes((d, r)), 8)
        pairs.append((int.from_bytes(words[:4], "little") | 1, int.from_bytes(words[4:], "little")))
    return tuple(pairs)


def permute(d: int, x: int, b: int) -> int:
    """pi_{d+1}(x) in [0, 2^b)."""
    mask, shift = (1 << b) - 1, (b + 1) // 2
    for mul, add in round_constants(d):
        x = (x * mul + add) & mask
        x ^= x >> shift
    return x


def parents(i: int, b: int) -> tuple[int, ...]:
    """The seven parents pi_1(i)..pi_7(i) of row i."""
    return tuple(permute(d, i, b) for d in range(DEGREE))


def chain_parent(i: int, b: int) -> int:
    """The row before i; row 0 follows the last row."""
    return (i - 1) & ((1 << b) - 1)


def neighbours(i: int, b: int) -> tuple[int, ...]:
    """All rows whose columns prove row i: i, its chain parent, its parents; ascending, unique."""
    return tuple(sorted({i, chain_parent(i, b), *parents(i, b)}))
