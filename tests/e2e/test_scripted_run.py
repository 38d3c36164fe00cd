"""`cybervein up --store`: the main promise with real processes, and what its report says."""

import json
import random
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from readme import block_with, new_workshop, shell
from services import command

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]

SEGMENT_BYTES = 256 * 65_520


@dataclass(frozen=True)
class Run:
    """The README's scripted run, as it ended, and the file it stored."""

    done: subprocess.CompletedProcess[str]
    report: Any
    file_bytes: int


@pytest.fixture(scope="module")
def scripted_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The README's own command, on a README of two segments, run once for all that look at it."""
    workshop = new_workshop(tmp_path_factory.mktemp("scripted"))
    with (workshop / "README.md").open("ab") as file:
        file.write(random.Random(20260503).randbytes(SEGMENT_BYTES + 1_000_003))
    done = shell(workshop, block_with("up --data scripted"))
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((workshop / "report.json").read_text())
    return Run(done, report, (workshop / "README.md").stat().st_size)


def scripted(data: Path, file: Path, report: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    line = command("up", "--data", data, "--store", file, "--report", report, *flags)
    return subprocess.run(line, capture_output=True, text=True, check=False)


def test_the_readmes_command_ends_well(scripted_run: Run) -> None:
    assert scripted_run.done.returncode == 0
    assert scripted_run.report["ok"]


def test_a_file_survives_the_loss_of_a_miner_and_reads_from_the_fewest_holders(
    scripted_run: Run,
) -> None:
    report = scripted_run.report
    assert all(check["ok"] for check in report["checks"])
    assert report["file_bytes"] == scripted_run.file_bytes > SEGMENT_BYTES
    assert report["code"] == "2/6"
    assert report["plots"] >= 14, "two plots of each of the seven living miners"
    assert report["stored_bytes"] >= 3 * scripted_run.file_bytes
    assert report["proofs"]["accepted"] >= 7 * 3
    assert report["audits"]["passed"] >= 7
    assert report["audits"]["wrong"] == 0
    assert report["shards_rebuilt"] >= 1
    assert report["repair_seconds"] > 0
    assert report["killed"] not in report["kept"]
    assert len(report["kept"]) == 2
    assert set(report["kept"]) <= set(report["kept_for_all"])
    assert report["killed"] not in report["kept_for_all"]
    whole = [c for c in report["checks"] if c["what"].startswith("the whole file reads from")]
    assert [c["detail"] for c in whole] == [f"{report['file_bytes']} bytes"]
    assert len(report["moved"]) == report["shards_rebuilt"]
    assert {each["lost_by"] for each in report["moved"]} == {report["killed"]}
    assert len(report["missed"]) == report["proofs"]["missed"]
    assert report["killed"] in {each["miner"] for each in report["missed"]}
    assert report["cost"]["veins"] > 0
    assert report["preset"]["name"] == "local"
    assert report["machine"]["cores"] >= 1
    assert report["seconds"]["get again"] > 0
    assert "{" not in str([check["detail"] for check in report["checks"]])
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
    assert "is no file; name one that exists" in run.stderr
    assert not (tmp_path / "net").exists()
