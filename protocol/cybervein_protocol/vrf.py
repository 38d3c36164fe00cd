"""ECVRF-EDWARDS25519-SHA512-TAI: randomness that one key can draw and everybody can check.

The executable specification of RFC 9381 section 5 with the suite of section 5.5 (suite string 03,
try-and-increment, SHA-512, cofactor 8, 16-byte challenge), in Python integers over extended
twisted Edwards coordinates (RFC 8032 section 5.1.4). No maintained library offers it to Python; the
gate is Appendix B.3's vectors. A super node proves once an epoch, a miner once an epoch, and all
verification keys are checked as section 5.4.5 asks, so `verify` gives full uniqueness.

Python integers are not constant-time: `prove` is meant for a machine that nobody shares.
"""

from hashlib import sha512
from typing import Final

from cybervein_protocol.errors import MalformedError, ProofError

PROOF_BYTES: Final = 80

_P: Final = 2**255 - 19
_Q: Final = 2**252 + 27742317777372353535851937790883648493
_D: Final = -121665 * pow(121666, -1, _P) % _P
_SQRT_M1: Final = pow(2, (_P - 1) // 4, _P)
_SUITE: Final = b"\x03"
_POINT_BYTES: Final = 32
_CHALLENGE_BYTES: Final = 16

Point = tuple[int, int, int, int]
"""(X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z."""

_ZERO: Final[Point] = (0, 1, 1, 0)


def _add(a: Point, b: Point) -> Point:
    """The sum (RFC 8032 section 5.1.4, complete for this curve)."""
    s = (a[1] - a[0]) * (b[1] - b[0]) % _P
    t = (a[1] + a[0]) * (b[1] + b[0]) % _P
    u = 2 * a[3] * b[3] * _D % _P
    v = 2 * a[2] * b[2] % _P
    e, f, g, h = t - s, v - u, v + u, t + s
    return (e * f % _P, g * h % _P, f * g % _P, e * h % _P)


def _double(a: Point) -> Point:
    """Twice a point (RFC 8032 section 5.1.4)."""
    x2, y2 = a[0] * a[0] % _P, a[1] * a[1] % _P
    h = x2 + y2
    e = h - (a[0] + a[1]) * (a[0] + a[1]) % _P
    g = x2 - y2
    f = 2 * a[2] * a[2] + g
    return (e * f % _P, g * h % _P, f * g % _P, e * h % _P)


def _times(scalar: int, point: Point) -> Point:
    """`scalar` times a point, by double and add."""
    result = _ZERO
    for bit in f"{scalar:b}":
        result = _double(result)
        if bit == "1":
            result = _add(result, point)
    return result


def _minus(point: Point) -> Point:
    return (_P - point[0], point[1], point[2], _P - point[3])


def _encode(point: Point) -> bytes:
    """point_to_string: y in 255 bits little-endian, then the sign of x (RFC 8032 5.1.2)."""
    inverse = pow(point[2], -1, _P)
    x, y = point[0] * inverse % _P, point[1] * inverse % _P
    return (y | (x & 1) << 255).to_bytes(_POINT_BYTES, "little")


def _decode(data: bytes) -> Point | None:
    """string_to_point, or None for bytes that are no canonical point (RFC 8032 5.1.3)."""
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & (1 << 255) - 1
    if y >= _P:
        return None
    x = _x_of(y, sign)
    return None if x is None else (x, y, 1, x * y % _P)


def _x_of(y: int, sign: int) -> int | None:
    """The x of that sign with x^2 = (y^2 - 1) / (d y^2 + 1), or None."""
    u, v = (y * y - 1) % _P, (_D * y * y + 1) % _P
    x = u * pow(v, 3, _P) * pow(u * pow(v, 7, _P), (_P - 5) // 8, _P) % _P
    if (v * x * x - u) % _P != 0:
        x = x * _SQRT_M1 % _P
    if (v * x * x - u) % _P != 0 or (x == 0 and sign == 1):
        return None
    return x if x & 1 == sign else _P - x


_BASE_Y: Final = 4 * pow(5, -1, _P) % _P
_BASE_X: Final = _x_of(_BASE_Y, 0) or 0
_BASE: Final[Point] = (_BASE_X, _BASE_Y, 1, _BASE_X * _BASE_Y % _P)


def _secret(seed: bytes) -> tuple[int, bytes]:
    """(scalar x, 32-byte prefix) of a seed (RFC 8032 section 5.1.5)."""
    if len(seed) != _POINT_BYTES:
        raise MalformedError(f"VRF seed: {len(seed)} bytes, expected 32")
    digest = sha512(seed).digest()
    x = int.from_bytes(digest[:32], "little") & (1 << 254) - 8 | 1 << 254
    return x, digest[32:]


def public_key(seed: bytes) -> bytes:
    """The 32-byte public key of a 32-byte secret seed."""
    return _encode(_times(_secret(seed)[0], _BASE))


def _hash_to_curve(public: bytes, alpha: bytes) -> Point:
    """encode_to_curve_try_and_increment (section 5.4.1.1), the public key as salt."""
    for counter in range(256):
        digest = sha512(_SUITE + b"\x01" + public + alpha + bytes((counter,)) + b"\x00").digest()
        point = _decode(digest[:_POINT_BYTES])
        if point is not None:
            cleared = _times(8, point)
            if not _is_zero(cleared):
                return cleared
    raise ProofError("VRF: no curve point in 256 tries; use another input")  # chance 2^-256


def _challenge(*points: bytes) -> int:
    """challenge_generation (section 5.4.3) over five encoded points."""
    digest = sha512(_SUITE + b"\x02" + b"".join(points) + b"\x00").digest()
    return int.from_bytes(digest[:_CHALLENGE_BYTES], "little")


def _is_zero(point: Point) -> bool:
    return point[0] % _P == 0 and (point[1] - point[2]) % _P == 0


def _output(gamma: Point) -> bytes:
    """proof_to_hash (section 5.2) of a decoded gamma."""
    return sha512(_SUITE + b"\x03" + _encode(_times(8, gamma)) + b"\x00").digest()


def prove(seed: bytes, alpha: bytes) -> bytes:
    """The 80-byte proof pi = gamma ‖ c ‖ s for `alpha` (section 5.1)."""
    x, prefix = _secret(seed)
    public = _encode(_times(x, _BASE))
    h = _hash_to_curve(public, alpha)
    h_bytes, gamma = _encode(h), _encode(_times(x, h))
    k = int.from_bytes(sha512(prefix + h_bytes).digest(), "little") % _Q
    c = _challenge(public, h_bytes, gamma, _encode(_times(k, _BASE)), _encode(_times(k, h)))
    s = (k + c * x) % _Q
    return gamma + c.to_bytes(_CHALLENGE_BYTES, "little") + s.to_bytes(_POINT_BYTES, "little")


def verify(public: bytes, alpha: bytes, proof: bytes) -> bytes:
    """The 64-byte output beta if `proof` is `public`'s for `alpha` (section 5.3).

    Raises ProofError for a proof that does not verify or a key of small order, MalformedError for
    sizes that are wrong.
    """
    gamma, c, s = _decode_proof(proof)
    y = _valid_key(public)
    h = _hash_to_curve(public, alpha)
    u = _add(_times(s, _BASE), _minus(_times(c, y)))
    v = _add(_times(s, h), _minus(_times(c, gamma)))
    if c != _challenge(public, _encode(h), proof[:_POINT_BYTES], _encode(u), _encode(v)):
        raise ProofError(f"VRF proof does not verify under key {public.hex()[:16]}; prove again")
    return _output(gamma)


def output(proof: bytes) -> bytes:
    """The output beta of a proof that is already known to verify (section 5.2)."""
    return _output(_decode_proof(proof)[0])


def _decode_proof(proof: bytes) -> tuple[Point, int, int]:
    """(gamma, c, s) of a proof (section 5.4.4)."""
    if len(proof) != PROOF_BYTES:
        raise MalformedError(f"VRF proof: {len(proof)} bytes, expected {PROOF_BYTES}")
    gamma = _decode(proof[:32])
    c, s = int.from_bytes(proof[32:48], "little"), int.from_bytes(proof[48:], "little")
    if gamma is None or s >= _Q:
        raise ProofError("VRF proof: gamma is no curve point or s is out of range; prove again")
    return gamma, c, s


def _valid_key(public: bytes) -> Point:
    """The key's point, unless it is of small order (section 5.4.5)."""
    if len(public) != _POINT_BYTES:
        raise MalformedError(f"VRF key: {len(public)} bytes, expected 32")
    point = _decode(public)
    if point is None or _is_zero(_times(8, point)):
        raise ProofError(f"VRF key {public.hex()[:16]}: no curve point of large order")
    return point
