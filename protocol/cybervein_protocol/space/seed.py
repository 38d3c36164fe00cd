"""Who a plot belongs to: its seed, its lane keys, and the identifier its commitments give it.

mu      = derive_key("cybervein 2026-11 plot seed", public key ‖ u64le index ‖ u8 b ‖ u8 k)
key[s]  = derive_key("cybervein 2026-11 lane key", mu ‖ u8 s)               for s = 0..15
plot_id = BLAKE3(mu ‖ kappa ‖ gamma)
"""

from functools import lru_cache

from blake3 import blake3

from cybervein_protocol.errors import MalformedError
from cybervein_protocol.space.shape import DIGEST_BYTES, LANES, PlotShape

SEED_CONTEXT = "cybervein 2026-11 plot seed"
LANE_CONTEXT = "cybervein 2026-11 lane key"
_INDEX_LIMIT = 1 << 63


def derive(context: str, material: bytes, length: int = DIGEST_BYTES) -> bytes:
    """BLAKE3's derive_key mode, `length` bytes of output."""
    return blake3(material, derive_key_context=context).digest(length)


def u64le(value: int) -> bytes:
    """Eight bytes, little-endian."""
    return value.to_bytes(8, "little")


def plot_seed(miner_public_key: bytes, plot_index: int, b: int, k: int) -> bytes:
    """The 32-byte seed mu: a plot belongs to one miner, one index and one shape."""
    shape = PlotShape(b, k)
    if len(miner_public_key) != DIGEST_BYTES:
        raise MalformedError(f"plot seed: key of {len(miner_public_key)} bytes, expected 32")
    if not 0 <= plot_index < _INDEX_LIMIT:
        raise MalformedError(f"plot seed: index {plot_index}, expected 0 to 2^63 - 1")
    return derive(SEED_CONTEXT, miner_public_key + u64le(plot_index) + bytes((shape.b, shape.k)))


@lru_cache(maxsize=64)
def lane_keys(mu: bytes) -> tuple[bytes, ...]:
    """The 16 lane keys of a plot."""
    return tuple(derive(LANE_CONTEXT, mu + bytes((lane,))) for lane in range(LANES))


def plot_id(mu: bytes, kappa: bytes, gamma: bytes) -> bytes:
    """The 32-byte identifier that challenges are drawn for."""
    return blake3(mu + kappa + gamma).digest()
