"""The operator on a thousand fake miners: beside what the same StatefulSets cost without it.

Runs the measuring tests of tests/scale on a real control plane with fake nodes, and keeps every
figure in bench/results-kubernetes.json.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FIGURES = ROOT / "bench" / "results-kubernetes.json"
MEASURED = ("bare_cluster.py", "test_thousand.py", "test_rest.py")

Row = dict[str, object]


def race() -> list[Row]:
    """Measure, and compare with the bare cluster and with what the operator may use."""
    subprocess.run([sys.executable, ROOT / "scripts" / "kubernetes" / "build.py"], check=True)
    for name in MEASURED:  # each on a control plane of its own
        test = [sys.executable, "-m", "pytest", "-m", "scale", f"tests/scale/{name}"]
        more = {"CYBERVEIN_BENCH_OUT": str(FIGURES), "CYBERVEIN_REST_MINERS": "1000"}
        subprocess.run(test, cwd=ROOT, env={**os.environ, **more}, check=True)
    figures = json.loads(FIGURES.read_text())
    return [
        _row("kubernetes: 0 to 1,000 miners", "s", figures["scale_up_seconds"],
             "StatefulSets alone", figures["bare_ready_seconds"]),
        _row("kubernetes: memory", "MiB", figures["operator_peak_mib"], "its limit", 300),
        _row("kubernetes: CPU at rest", "share", figures["rest_cpu_share"], "its aim",
             figures["rest_cpu_share_aim"]),
    ]  # fmt: skip


def _row(race: str, unit: str, ours: float, peer_name: str, peer: float) -> Row:
    ratio = peer / ours if ours else float("inf")
    return {"race": race, "unit": unit, "ours": ours, "peer_name": peer_name, "peer": peer,
            "ratio": ratio}  # fmt: skip
