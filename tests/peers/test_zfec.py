"""The code against `zfec` itself on random cases: what one encodes the other decodes."""

import json
import random
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from cybervein_protocol.coding import rs_decode, rs_encode

pytestmark = pytest.mark.peers

PEERS_PYTHON = Path(__file__).parents[2] / "bench" / ".peers" / "bin" / "python"
SEED = 20261121
PROGRAM = """
import json, sys, zfec
for case in json.load(sys.stdin):
    k, n = case["k"], case["n"]
    data = [bytes.fromhex(block) for block in case["data"]]
    parity = zfec.Encoder(k, n).encode(data, list(range(k, n)))
    kept = [bytes.fromhex(block) for block in case["kept"]]
    decoded = zfec.Decoder(k, n).decode(kept, case["indices"])
    print(json.dumps({"parity": [b.hex() for b in parity], "decoded": [b.hex() for b in decoded]}))
"""


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


def zfec_answers(cases: list[Case], shares: list[list[bytes]]) -> list[dict[str, list[str]]]:
    """What zfec encodes of the data, and decodes of our shares."""
    asked = [
        {
            "k": case.k,
            "n": case.n,
            "data": [block.hex() for block in case.data],
            "kept": [ours[index].hex() for index in case.kept],
            "indices": case.kept,
        }
        for case, ours in zip(cases, shares, strict=True)
    ]
    done = subprocess.run(
        [PEERS_PYTHON, "-c", PROGRAM],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_zfec_and_we_encode_the_same_and_decode_each_other() -> None:
    cases = random_cases()
    shares = [rs_encode(case.k, case.n, case.data) for case in cases]
    for case, ours, theirs in zip(cases, shares, zfec_answers(cases, shares), strict=True):
        assert [block.hex() for block in ours[case.k :]] == theirs["parity"], case
        assert [block.hex() for block in case.data] == theirs["decoded"], case
        survivors = {index: ours[index] for index in case.kept}
        assert rs_decode(case.k, case.n, survivors) == case.data, case
