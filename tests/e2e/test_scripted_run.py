"""`cybervein up --store`: the main promise with real processes, and what its report says."""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

SEGMENT_BYTES = 256 * 65_520


@pytest.fixture
def two_segments(tmp_path: Path) -> Path:
    file = tmp_path / "film.bin"
    file.write_bytes(random.Random(20260503).randbytes(SEGMENT_BYTES + 1_000_003))
    return file


def scripted(data: Path, file: Path, report: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cybervein_command", "up", "--data", str(data)]
    command += ["--store", str(file), "--report", str(report), *flags]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_file_survives_the_loss_of_a_miner_and_reads_from_the_fewest_holders(
    tmp_path: Path, two_segments: Path
) -> None:
    report_path = tmp_path / "report.json"
    flags = ("--epochs", "6", "--epoch-seconds", "10")
    run = scripted(tmp_path / "net", two_segments, report_path, *flags)
    assert run.returncode == 0, run.stdout + run.stderr
    report = json.loads(report_path.read_text())
    assert report["ok"]
    assert all(check["ok"] for check in report["checks"])
    assert report["file_bytes"] == two_segments.stat().st_size
    assert report["code"] == "2/6"
    assert report["plots"] >= 14, "two plots of each of the seven living miners"
    assert report["stored_bytes"] >= 3 * two_segments.stat().st_size
    assert report["proofs"]["accepted"] >= 7 * 3
    assert report["audits"]["passed"] >= 7
    assert report["audits"]["wrong"] == 0
    assert report["shards_rebuilt"] >= 1
    assert report["repair_seconds"] > 0
    assert report["killed"] not in report["kept"]
    assert len(report["kept"]) == 2
    assert all(veins > 0 for name, veins in report["rewards"].items() if name != report["killed"])
    assert report["supply_holds"]
    assert report["put_bytes_per_second"] > 0
    assert report["get_bytes_per_second"] > 0
    check_supply(report["supply"])


def check_supply(supply: dict[str, int]) -> None:
    sides = supply["held"] + supply["escrowed"] + supply["bonded"] + supply["burnt"]
    assert supply["genesis"] + supply["minted"] == sides


def test_a_file_to_store_that_does_not_exist_is_refused_before_anything_starts(
    tmp_path: Path,
) -> None:
    run = scripted(tmp_path / "net", tmp_path / "nosuch", tmp_path / "r.json")
    assert run.returncode != 0
    assert "expected a file" in run.stderr
    assert not (tmp_path / "net").exists()
