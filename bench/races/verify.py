"""One space proof: time to verify, bytes, and disk reads, against chiapos.

Ours is an answer of a 512 MiB plot (b=20): its slice is verified and its quality computed, timed
with and without decoding the message. The peer's is a proof of a k=22 plot given to its verifier.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import cybervein_native
from cybervein_protocol.space import (
    PlotClaim,
    decode_answer,
    encode_answer,
    prove_space,
    row_quality,
    verify_space_answer,
)

B, K = 20, 1
PEER_K = 22
PROOFS = 200
HERE = Path(__file__).parents[1]
PEERS_PYTHON = HERE / ".peers" / "bin" / "python"
SHM = Path("/dev/shm")  # noqa: S108 -- memory, so that no disk is raced


class CountedFile:
    """Reads of a file, counted."""

    def __init__(self, path: Path) -> None:
        self.descriptor, self.reads = os.open(path, os.O_RDONLY), 0

    def read_at(self, start: int, length: int) -> bytes:
        self.reads += 1
        return os.pread(self.descriptor, length, start)


def race() -> list[dict[str, object]]:
    """Rows for time, bytes and reads."""
    with tempfile.TemporaryDirectory(dir=SHM if SHM.is_dir() else None) as folder:
        ours = own_proofs(Path(folder) / "own.plot")
        peer = chiapos_proofs(folder)
    verify, whole = ours["verify_seconds"] * 1e6, ours["whole_seconds"] * 1e6
    return [
        row("verify one space proof", "µs", verify, peer["verify_seconds"] * 1e6),
        row("decode and verify one space proof", "µs", whole, peer["verify_seconds"] * 1e6),
        row("bytes of a space proof", "bytes", ours["proof_bytes"], peer["proof_bytes"]),
        row("reads for a challenge", "reads", ours["quality_reads"], peer["quality_reads"]),
        row("reads for a proof", "reads", ours["proof_reads"], peer["proof_reads"]),
    ]


def row(name: str, unit: str, ours: float, peer: float) -> dict[str, object]:
    """Less is better in all of them."""
    measured = {"ours": round(ours, 2), "peer_name": f"chiapos k={PEER_K}", "peer": round(peer, 2)}
    return {"race": name, "unit": unit, **measured, "ratio": round(peer / ours, 2)}


def own_proofs(path: Path) -> dict[str, float]:
    kappa, gamma, outboard = cybervein_native.plot_create(path, bytes(32), 0, B, K)
    identity = PlotClaim(index=0, b=B, k=K, kappa=kappa, gamma=gamma).plot_id(bytes(32))
    file = CountedFile(path)
    seconds, whole_seconds, sizes, quality_reads, proof_reads = [], [], [], [], []
    for number in range(PROOFS):
        beacon, before = number.to_bytes(32, "big"), file.reads
        row_quality(beacon, identity, B, file.read_at)
        quality_reads.append(file.reads - before)
        before = file.reads
        encoded = encode_answer(prove_space(beacon, identity, B, file.read_at, outboard))
        proof_reads.append(file.reads - before)
        sizes.append(len(encoded))
        start = time.perf_counter()
        answer = decode_answer(encoded)
        parsed = time.perf_counter()
        verify_space_answer(beacon, identity, gamma, B, answer)
        seconds.append(time.perf_counter() - parsed)
        whole_seconds.append(time.perf_counter() - start)
    return {
        "verify_seconds": statistics.median(seconds),
        "whole_seconds": statistics.median(whole_seconds),
        "proof_bytes": statistics.median(sizes),
        "quality_reads": statistics.median(quality_reads),
        "proof_reads": statistics.median(proof_reads),
    }


def chiapos_proofs(folder: str) -> dict[str, float]:
    script = HERE / "peers" / "chiapos_rates.py"
    command = [str(PEERS_PYTHON), str(script), str(PEER_K), folder, str(PROOFS)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result
