"""GF(2^8) with the polynomial x^8 + x^4 + x^3 + x^2 + 1 (0x11d) and the generator 2."""

from itertools import accumulate, repeat

POLYNOMIAL = 0x11D


def _double(a: int, _: object) -> int:
    return (a << 1) ^ (POLYNOMIAL if a & 0x80 else 0)


EXP = tuple(accumulate(repeat(None, 254), _double, initial=1))
"""EXP[i] = 2^i for i in 0..254; 2^255 = 1."""

LOG = {value: exponent for exponent, value in enumerate(EXP)}


def power(exponent: int) -> int:
    """2 to the power of `exponent`."""
    return EXP[exponent % 255]


def mul(a: int, b: int) -> int:
    """The product."""
    return power(LOG[a] + LOG[b]) if a and b else 0


def inverse(a: int) -> int:
    """The inverse of `a`, which is not zero."""
    return power(255 - LOG[a])


def scaling(c: int) -> bytes:
    """The 256 products of c, as a table for `bytes.translate`."""
    return bytes(mul(c, x) for x in range(256))
