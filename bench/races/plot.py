"""Plotting on one core: against chiapos (k=25, one thread) and against hashing without memory.

Both make a whole file in the same folder in memory, one after the other, on one thread, and are
timed by the processor time of their process: a rate for each core, whatever else the machine does.
The hash limit is the same kernel compressing from registers: a plot of k layers takes
1 + 5 k + 9 k / 16 compressions of 16 lanes for each row of 512 bytes.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import cybervein_native

MIB = 1024 * 1024
B, K = 20, 8
ROUNDS = 3
PEER_K = 25
PEER = f"chiapos k={PEER_K}, one thread"
LIMIT = "BLAKE3 compressions alone"
LIMIT_COUNT = 4_000_000
HERE = Path(__file__).parents[1]
PEERS_PYTHON = HERE / ".peers" / "bin" / "python"
SHM = Path("/dev/shm")  # noqa: S108 -- memory, so that no disk is raced


def race() -> list[dict[str, object]]:
    """Rows against chiapos and the hash limit and one for each other kernel."""
    with tempfile.TemporaryDirectory(dir=SHM if SHM.is_dir() else None) as folder:
        limits, rates = [], []
        for number in range(ROUNDS):
            limits.append(hash_limit(None))
            rates.append(plot_rate(Path(folder) / f"{number}.plot", None))
        peer = chiapos_rate(folder)
        rows = [
            row("plot, one core", statistics.median(rates), PEER, peer),
            row(
                "plot, share of the hash limit",
                statistics.median(rates),
                LIMIT,
                statistics.median(limits),
            ),
        ]
        for kernel in cybervein_native.plot_kernels()[1:]:
            mine = plot_rate(Path(folder) / "kernel.plot", kernel, b=17)
            rows.append(row(f"plot, kernel {kernel}", mine, PEER, peer))
    return rows


def row(name: str, ours: float, peer_name: str, peer: float) -> dict[str, object]:
    measured = {"ours": round(ours, 1), "peer_name": peer_name, "peer": round(peer, 1)}
    return {"race": name, "unit": "MiB/s/core", **measured, "ratio": round(ours / peer, 2)}


def plot_rate(path: Path, kernel: str | None, b: int = B) -> float:
    """MiB a second of a whole plot file: labelling, both trees, writing, syncing, reading back."""
    start = time.process_time()
    cybervein_native.plot_create(path, bytes(32), 0, b, K, kernel=kernel)
    seconds = time.process_time() - start
    size = path.stat().st_size
    path.unlink()
    return size / MIB / seconds


def hash_limit(kernel: str | None) -> float:
    """MiB/s of plot if memory took no time."""
    start = time.process_time()
    cybervein_native.hash_limit_seconds(LIMIT_COUNT, kernel)
    seconds = time.process_time() - start
    rows = LIMIT_COUNT / (1 + 5 * K + 9 * K / 16)
    return rows * 512 / MIB / seconds


def chiapos_rate(folder: str) -> float:
    """MiB/s of a plot of the peer."""
    script = HERE / "peers" / "chiapos_rates.py"
    command = [str(PEERS_PYTHON), str(script), str(PEER_K), folder, "0"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    result = json.loads(done.stdout.splitlines()[-1])
    return float(result["plot_bytes"]) / MIB / float(result["plot_seconds"])
