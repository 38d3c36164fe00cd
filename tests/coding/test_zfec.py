"""The code against `zfec` itself on random cases: what one encodes the other decodes.

zfec is GPL-2+ or TGPPL, so it is the oracle of the tests and nothing else: see tests/build.
"""

import random
from dataclasses import dataclass

import pytest
import zfec
from cybervein_protocol.coding import rs_decode, rs_encode

SEED = 20261121


@dataclass(frozen=True)
class Case:
    """A code k of n, its k data blocks, and the k shares that survive."""

    k: int
    n: int
    data: list[bytes]
    kept: list[int]


def random_cases() -> list[Case]:
    rng = random.Random(SEED)
    return [random_case(rng) for _ in range(60)]


def random_case(rng: random.Random) -> Case:
    k = rng.randint(1, 40)
    n = rng.randint(k, k + rng.randint(1, 60))
    length = rng.choice((1, 15, 64, 1000, 4099))
    data = [rng.randbytes(length) for _ in range(k)]
    return Case(k, n, data, sorted(rng.sample(range(n), k)))


@pytest.mark.parametrize("case", random_cases(), ids=lambda case: f"{case.k}of{case.n}")
def test_zfec_and_we_encode_the_same_and_decode_each_other(case: Case, native_mode: str) -> None:
    ours = rs_encode(case.k, case.n, case.data)
    parity = zfec.Encoder(case.k, case.n).encode(case.data, list(range(case.k, case.n)))
    assert ours[case.k :] == parity, native_mode
    survivors = {index: ours[index] for index in case.kept}
    # zfec puts the blocks that it is given into an order of its own: it gets lists of its own.
    decoded = zfec.Decoder(case.k, case.n).decode(list(survivors.values()), list(survivors))
    assert decoded == case.data
    assert rs_decode(case.k, case.n, survivors) == case.data
