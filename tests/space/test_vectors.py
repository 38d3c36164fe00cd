"""The committed vectors: the specification gives them, and so does every native kernel."""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import cybervein_native
import pytest
from blake3 import blake3
from cybervein_protocol.space import PlotClaim, encode_commit_proof, prove_commit

HERE = Path(__file__).parent
VECTORS = json.loads((HERE / "vectors.json").read_text())
Case = dict[str, Any]
KERNELS = cybervein_native.plot_kernels()


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


def test_the_portable_kernel_and_this_processors_best_are_both_run() -> None:
    flags = Path("/proc/cpuinfo").read_text()
    assert KERNELS[-1] == "portable"
    assert ("sse2" in KERNELS) == (platform.machine() == "x86_64")
    assert ("avx512" in KERNELS) == (" avx512f" in flags)
    assert ("avx2" in KERNELS) == (" avx2" in flags)


@pytest.mark.both_codes
@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("case", VECTORS["plots"], ids=lambda case: f"b{case['b']}k{case['k']}")
def test_every_kernel_makes_the_specified_plot(case: Case, kernel: str, tmp_path: Path) -> None:
    key, (index, b, k) = bytes.fromhex(case["public_key"]), (case["index"], case["b"], case["k"])
    path = tmp_path / "0.plot"
    kappa, gamma, _ = cybervein_native.plot_create(path, key, index, b, k, kernel=kernel)
    assert kappa.hex() == case["kappa"]
    assert gamma.hex() == case["gamma"] == blake3(path.read_bytes()).hexdigest()
    assert path.read_bytes()[:512].hex() == case["first_row"]


@pytest.mark.both_codes
@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("case", VECTORS["plots"][:4], ids=lambda case: f"b{case['b']}")
def test_every_kernel_replays_the_specified_columns(case: Case, kernel: str) -> None:
    key, (index, b, k) = bytes.fromhex(case["public_key"]), (case["index"], case["b"], case["k"])
    plain = cybervein_native.plot_replay_commit(key, index, b, k, case["commit_rows"])
    forced = cybervein_native.plot_replay_commit(
        key, index, b, k, case["commit_rows"], kernel=kernel
    )
    assert forced == plain


@pytest.mark.parametrize("case", VECTORS["plots"], ids=lambda case: f"b{case['b']}k{case['k']}")
def test_native_commit_proofs_are_the_specified_bytes(case: Case) -> None:
    claim = PlotClaim(
        index=case["index"],
        b=case["b"],
        k=case["k"],
        kappa=bytes.fromhex(case["kappa"]),
        gamma=bytes.fromhex(case["gamma"]),
    )
    proof = prove_commit(bytes.fromhex(case["public_key"]), claim, case["commit_rows"])
    assert blake3(encode_commit_proof(proof)).hexdigest() == case["commit_proof"]
