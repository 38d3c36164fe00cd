"""The bench runner: rows of known shape, one race alone, failures that are told."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

RUNNER = Path(__file__).parents[2] / "bench" / "run.py"
ROW = {"race": "r", "unit": "MiB/s", "ours": 4.0, "peer_name": "p", "peer": 2.0, "ratio": 2.0}


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    """A copy of the runner with races of the test's own."""
    (tmp_path / "races").mkdir()
    (tmp_path / "run.py").write_text(RUNNER.read_text())
    (tmp_path / "races" / "fast.py").write_text(f"def race():\n    return [{ROW!r}]\n")
    (tmp_path / "races" / "slow.py").write_text(
        f"def race():\n    return [{ROW | {'race': 'slow', 'ratio': 0.5}!r}]\n"
    )
    return tmp_path


def run(bench: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run it without bytecode: of a race that is written anew within a second, it would be old."""
    command = [sys.executable, "-B", bench / "run.py", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def results(bench: Path) -> dict[str, dict[str, object]]:
    return {row["race"]: row for row in json.loads((bench / "results.json").read_text())}


def test_all_races_are_run_printed_and_written(bench: Path) -> None:
    done = run(bench)
    assert done.returncode == 0, done.stderr
    assert results(bench)["r"]["ratio"] == 2.0
    assert results(bench)["slow"]["ratio"] == 0.5
    assert {"race", "unit", "ours", "peer_name", "peer", "ratio"} <= results(bench)["r"].keys()
    assert "slow" in done.stdout


def test_one_race_alone_replaces_its_own_rows_and_keeps_the_others(bench: Path) -> None:
    run(bench)
    (bench / "races" / "fast.py").write_text(
        f"def race():\n    return [{ROW | {'ratio': 3.0}!r}]\n"
    )
    assert run(bench, "--race", "fast").returncode == 0
    assert results(bench)["r"]["ratio"] == 3.0
    assert results(bench)["slow"]["ratio"] == 0.5


def test_a_race_that_fails_is_told_and_the_others_are_still_written(bench: Path) -> None:
    (bench / "races" / "broken.py").write_text("def race():\n    raise RuntimeError('no peer')\n")
    done = run(bench)
    assert done.returncode == 1
    assert "no peer" in done.stderr
    assert "these races failed: broken" in done.stderr
    assert results(bench).keys() == {"r", "slow"}


def test_a_row_without_its_peer_is_refused(bench: Path) -> None:
    (bench / "races" / "lonely.py").write_text("def race():\n    return [{'race': 'x'}]\n")
    done = run(bench, "--race", "lonely")
    assert done.returncode == 1
    assert "lacks ['ours', 'peer', 'peer_name', 'ratio', 'unit']" in done.stderr


def test_an_unknown_race_names_those_there_are(bench: Path) -> None:
    done = run(bench, "--race", "nosuch")
    assert done.returncode == 2
    assert "'fast'" in done.stderr
