"""The committed vectors: those of `zfec` for the code, the specification's for whole segments."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import cybervein_native
import pytest
from blake3 import blake3
from cybervein_protocol.coding import (
    SegmentSecret,
    SegmentShape,
    decode_segment,
    encode_segment,
    rs_encode,
)

HERE = Path(__file__).parent
ZFEC = json.loads((HERE / "zfec_vectors.json").read_text())["cases"]
SEGMENTS = json.loads((HERE / "vectors.json").read_text())["cases"]
PATHS = cybervein_native.rs_paths()
SECRET = SegmentSecret(blake3(b"file key").digest(), blake3(b"salt").digest())

Case = dict[str, Any]


def content(size: int) -> bytes:
    return (bytes(range(251)) * (size // 251 + 1))[:size]


def blocks(case: Case) -> list[bytes]:
    whole = content(case["k"] * case["length"])
    return [whole[i * case["length"] :][: case["length"]] for i in range(case["k"])]


def digest(shares: list[bytes]) -> str:
    digests = (hashlib.sha256(share).hexdigest() for share in shares)
    return hashlib.sha256("".join(digests).encode()).hexdigest()


def name(case: Case) -> str:
    return "-".join(str(case[key]) for key in ("k", "n", "length", "size") if key in case)


def regenerated(python: Path, *arguments: str) -> str:
    made = subprocess.run(
        [python, *arguments],
        cwd=HERE,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return made.stdout


def test_regenerating_the_segment_vectors_changes_nothing() -> None:
    code = "import generate_vectors, sys; sys.stdout.write(generate_vectors.vectors())"
    assert regenerated(Path(sys.executable), "-c", code) == (HERE / "vectors.json").read_text()


def test_zfec_itself_still_gives_the_committed_vectors() -> None:
    made = regenerated(Path(sys.executable), "generate_zfec_vectors.py", "--print")
    assert made == (HERE / "zfec_vectors.json").read_text()


def test_the_portable_path_and_this_processors_best_are_both_run() -> None:
    flags = Path("/proc/cpuinfo").read_text().split()
    assert PATHS[-1] == "portable"
    assert ("avx2" in PATHS) == ("avx2" in flags)
    assert ("gfni" in PATHS) == ({"gfni", "avx512f", "avx512bw"} <= set(flags))


@pytest.mark.parametrize("case", ZFEC, ids=name)
def test_the_code_is_that_of_zfec(case: Case, native_mode: str) -> None:
    made = rs_encode(case["k"], case["n"], blocks(case))
    assert digest(made) == case["shares"], native_mode


@pytest.mark.both_codes
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("case", ZFEC, ids=name)
def test_every_instruction_set_gives_the_same_shares(case: Case, path: str) -> None:
    k, n, data = case["k"], case["n"], blocks(case)
    shares = [*data, *cybervein_native.rs_parity(k, n, data, path)]
    assert digest(shares) == case["shares"]
    last = dict(enumerate(shares[n - k :], start=n - k))
    assert cybervein_native.rs_reconstruct(k, n, last, list(range(k)), path) == data


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("case", SEGMENTS, ids=name)
def test_native_segments_are_those_of_the_specification(case: Case, threads: int) -> None:
    shape = SegmentShape(case["size"], case["k"], case["n"], last=case["last"])
    pairs = encode_segment(content(shape.size), SECRET, shape, threads=threads)
    assert blake3(b"".join(root for root, _ in pairs)).hexdigest() == case["roots"]
    assert {len(shard) for _, shard in pairs} == {shape.shard_size} == {case["shard_size"]}
    last = {index: pairs[index][1] for index in range(shape.n - shape.k, shape.n)}
    assert decode_segment(last, SECRET, shape, threads=threads) == content(shape.size)
