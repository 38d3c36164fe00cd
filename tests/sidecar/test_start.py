"""The sidecar as a process of its own, as pods and home PCs start it."""

import sys
from pathlib import Path

from process import Process
from waiting import until

NOBODY = "http://127.0.0.1:1"


def test_it_imports_nothing_from_where_it_is_started(tmp_path: Path) -> None:
    (tmp_path / "fastapi.py").write_text("raise SystemExit('a module of the working directory')")
    run_file = tmp_path / "run.json"
    line = [Path(sys.executable).with_name("cybervein"), "sidecar", "--run-file", run_file]
    line += ["--miner", NOBODY, "--supernode", NOBODY, "--port", "0"]
    sidecar = Process("sidecar", line, tmp_path)
    sidecar.start()
    try:
        until(lambda: run_file.exists() or not sidecar.alive, "it serves or has ended")
        assert sidecar.alive, sidecar.tail()
    finally:
        sidecar.stop()
