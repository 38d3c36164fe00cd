"""Reed-Solomon k of n, bit-compatible with the `zfec` package.

1. Take the n x k matrix over GF(2^8) whose row 0 is (1, 0, 0, ...) and whose row r > 0 holds the
   powers 2^((r-1) * column): a Vandermonde matrix with the points 0, 1, 2, 4, 8, ...
2. Multiply it by the inverse of its top k rows. The top becomes the identity, so the first k shares
   are the data itself (*systematic*), and any k rows can still be inverted.
3. Share i is row i times the data, byte by byte.

A share depends on the bytes at its own position only. So whole shards can be rebuilt without
knowing where their stripes begin.
"""

from collections.abc import Mapping, Sequence
from functools import cache

from cybervein_protocol.coding.errors import CodingError
from cybervein_protocol.coding.field import inverse, mul, power, scaling

SHARES_MAX = 256
"""The field has that many points."""


def encode(k: int, n: int, blocks: Sequence[bytes]) -> list[bytes]:
    """See `cybervein_protocol.coding.rs_encode`."""
    rows = code_rows(k, n)
    if len(blocks) != k:
        raise CodingError(f"{len(blocks)} data shares given, expected {k}")
    _check_lengths(blocks)
    return [*map(bytes, blocks), *(weighted_sum(row, blocks) for row in rows[k:])]


def decode(k: int, n: int, shares: Mapping[int, bytes]) -> list[bytes]:
    """See `cybervein_protocol.coding.rs_decode`."""
    return [reconstruct(k, n, shares, index) for index in range(k)]


def reconstruct(k: int, n: int, shares: Mapping[int, bytes], index: int) -> bytes:
    """See `cybervein_protocol.coding.rs_reconstruct`."""
    rows = code_rows(k, n)
    present = choose(k, n, shares)
    if not 0 <= index < n:
        raise CodingError(f"share index {index}: expected distinct indices below {n}")
    inputs = [shares[i] for i in present]
    _check_lengths(inputs)
    inverted = _invert([rows[i] for i in present])
    return weighted_sum(_times(rows[index], inverted), inputs)


def choose(k: int, n: int, shares: Mapping[int, bytes]) -> list[int]:
    """The k lowest indices: data shares come first and cost no arithmetic."""
    present = sorted(shares)
    if present and not 0 <= present[0] <= present[-1] < n:
        raise CodingError(f"share indices {present}: expected distinct indices below {n}")
    if len(present) < k:
        raise CodingError(f"{len(present)} shares given, {k} needed: fetch more")
    return present[:k]


def weighted_sum(row: Sequence[int], blocks: Sequence[bytes]) -> bytes:
    """The sum of `row[i] * blocks[i]` over GF(2^8), byte by byte; addition is XOR."""
    total = 0
    for coefficient, block in zip(row, blocks, strict=True):
        total ^= int.from_bytes(bytes(block).translate(scaling(coefficient)), "little")
    return total.to_bytes(len(blocks[0]), "little")


@cache
def code_rows(k: int, n: int) -> tuple[tuple[int, ...], ...]:
    """The n rows of k coefficients each (steps 1 and 2 above)."""
    if not 1 <= k <= n <= SHARES_MAX:
        raise CodingError(f"code {k}/{n}: expected 1 <= k <= n <= {SHARES_MAX}")
    first = tuple(int(column == 0) for column in range(k))
    powers = (tuple(power(r * column) for column in range(k)) for r in range(n - 1))
    vandermonde = [first, *powers]
    top = _invert(vandermonde[:k])
    return tuple(_times(row, top) for row in vandermonde)


def _times(row: Sequence[int], matrix: Sequence[Sequence[int]]) -> tuple[int, ...]:
    """A row times a k x k matrix."""
    result = [0] * len(matrix)
    for factor, cells in zip(row, matrix, strict=True):
        result = [a ^ mul(factor, b) for a, b in zip(result, cells, strict=True)]
    return tuple(result)


def _invert(matrix: Sequence[Sequence[int]]) -> list[tuple[int, ...]]:
    """The inverse of a k x k matrix by Gauss-Jordan elimination; any k rows here have one."""
    k = len(matrix)
    wide = [[*row, *(int(i == j) for j in range(k))] for i, row in enumerate(matrix)]
    for column in range(k):
        pivot = next(i for i in range(column, k) if wide[i][column])
        wide[column], wide[pivot] = wide[pivot], wide[column]
        scale = inverse(wide[column][column])
        wide[column] = [mul(scale, cell) for cell in wide[column]]
        for i in range(k):
            factor = wide[i][column]
            if i != column and factor:
                pairs = zip(wide[i], wide[column], strict=True)
                wide[i] = [a ^ mul(factor, b) for a, b in pairs]
    return [tuple(row[k:]) for row in wide]


def _check_lengths(blocks: Sequence[bytes]) -> None:
    lengths = {len(block) for block in blocks}
    if len(lengths) > 1:
        raise CodingError(f"shares have different lengths: {sorted(lengths)} bytes")
