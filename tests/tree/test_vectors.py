"""The committed vectors: the specification gives them, and so does native code."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from blake3 import blake3
from cybervein_protocol.tree import root_and_outboard, size_of_slice, slice_of

HERE = Path(__file__).parent
CASES = json.loads((HERE / "vectors.json").read_text())["cases"]

OFFICIAL = {
    0: "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262",
    1: "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213",
    1024: "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7",
    1025: "d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444",
}
"""Roots from test_vectors.json of the BLAKE3 repository, by input length."""


def content(size: int) -> bytes:
    return bytes(i % 251 for i in range(size))


def test_regenerating_the_vectors_changes_nothing() -> None:
    code = "import generate_vectors, sys; sys.stdout.write(generate_vectors.vectors())"
    made = subprocess.run(
        [sys.executable, "-c", code],
        cwd=HERE,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert made.stdout == (HERE / "vectors.json").read_text()


@pytest.mark.parametrize("size", OFFICIAL)
def test_roots_are_those_of_the_official_vectors(size: int, native_mode: str) -> None:
    assert root_and_outboard(content(size))[0].hex() == OFFICIAL[size], native_mode


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['size']} bytes")
def test_native_code_gives_the_committed_vectors(case: dict[str, object], native_mode: str) -> None:
    data = content(int(str(case["size"])))
    root, outboard = root_and_outboard(data)
    assert root == blake3(data).digest(), native_mode
    assert root.hex() == case["root"]
    assert blake3(outboard).hexdigest() == case["outboard"]
    assert isinstance(case["slices"], list)
    for want in case["slices"]:
        start, length = want["start"], want["length"]
        made = slice_of(lambda at, n: data[at : at + n], len(data), outboard, start, length)
        assert len(made) == want["size"] == size_of_slice(len(data), start, length)
        assert blake3(made).hexdigest() == want["blake3"]
