"""Idle cost: processor and memory of a miner with its sidecar, and of the super node.

A network of one miner runs its epochs (proofs, blocks, bandwidth tests, a scrape of the sidecar
every 15 seconds) and stores nothing. The peer is a Tahoe-LAFS storage node that does nothing: the
nearest program that people leave running for the same reason.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import psutil

WINDOW_SECONDS = float(os.environ.get("IDLE_SECONDS", "60"))
SCRAPE_SECONDS = 15.0
TAHOE = Path(__file__).parents[1] / ".peers" / "bin" / "tahoe"


def race() -> list[dict[str, object]]:
    """Rows for processor (per mille of one core) and memory (MiB of proportional set size)."""
    with tempfile.TemporaryDirectory() as folder:
        ours = measure_network(Path(folder) / "net")
        peer = measure_tahoe(Path(folder) / "tahoe")
    rows = []
    for what in ("miner with sidecar", "super node"):
        for unit, mine, theirs in zip(("% of a core", "MiB"), ours[what], peer, strict=True):
            row = {"race": f"idle: {what}", "unit": unit, "ours": mine}
            ratio = theirs / mine if mine else float("inf")
            rows.append(row | {"peer_name": "tahoe storage node", "peer": theirs, "ratio": ratio})
    return rows


def measure_network(data: Path) -> dict[str, tuple[float, float]]:
    """Cost of the parts of an embedded network with one miner."""
    arguments = ["up", "--data", str(data), "--miners", "1", "--plots", "2"]
    command = [sys.executable, "-m", "cybervein_command", "--json", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as up:
        try:
            children = wait_until_ready(up)
            pids = {name: child["pid"] for name, child in children.items()}
            sidecar = children["sidecar-1"]["url"] + "/metrics"
            return {
                "miner with sidecar": cost([pids["miner-1"], pids["sidecar-1"]], sidecar),
                "super node": cost([pids["supernode"]], sidecar),
            }
        finally:
            up.terminate()
            up.wait()


def wait_until_ready(up: subprocess.Popen[str]) -> dict[str, dict[str, Any]]:
    """The started children by name. Raises RuntimeError if `up` ends before it is ready."""
    children = {}
    for line in up.stdout or ():
        event = json.loads(line)
        if event["event"] == "started":
            children[event["name"]] = event
        if event["event"] == "note" and event["text"].startswith("ready after"):
            return children
    raise RuntimeError(f"cybervein up ended with {up.wait()} before it was ready")


def measure_tahoe(node: Path) -> tuple[float, float]:
    """Cost of a storage node of Tahoe-LAFS that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    listen = [f"--port=tcp:{port}:interface=127.0.0.1", f"--location=tcp:127.0.0.1:{port}"]
    create = [str(TAHOE), "create-node", *listen, str(node)]
    subprocess.run(create, check=True, capture_output=True)
    with subprocess.Popen(
        [str(TAHOE), "run", "--allow-stdin-close", str(node)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as tahoe:
        try:
            time.sleep(10)
            if tahoe.poll() is not None:
                raise RuntimeError(f"tahoe run ended with {tahoe.returncode}")
            return cost([tahoe.pid])
        finally:
            tahoe.terminate()
            tahoe.wait()


def cost(pids: list[int], scrape: str | None = None) -> tuple[float, float]:
    """Percent of one core over the window, and MiB at its end, summed over the processes."""
    processes = [psutil.Process(pid) for pid in pids]
    before, began = sum(map(cpu_seconds, processes)), time.monotonic()
    while (left := began + WINDOW_SECONDS - time.monotonic()) > 0:
        if scrape is not None:
            urllib.request.urlopen(scrape).read()  # noqa: S310 -- our own http URL
        time.sleep(min(SCRAPE_SECONDS, left))
    used, passed = sum(map(cpu_seconds, processes)) - before, time.monotonic() - began
    memory = sum(process.memory_full_info().pss for process in processes)
    return 100 * used / passed, memory / (1 << 20)


def cpu_seconds(process: psutil.Process) -> float:
    """User and system time so far."""
    times = process.cpu_times()
    return float(times.user + times.system)
