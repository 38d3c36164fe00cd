"""`cybervein up`: addresses, crashes that are noticed, Ctrl-C, and the next start."""

import json
import os
import random
import signal
import urllib.request
from pathlib import Path

import pytest
from up_process import Up, alive, cybervein, up
from waiting import DEADLINE_SECONDS

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]

FLAGS = ("--miners", "4", "--epoch-seconds", "5", "--plots", "1")


def fetch(url: str) -> str:
    with urllib.request.urlopen(url, timeout=DEADLINE_SECONDS) as answer:  # noqa: S310 -- http of this test
        return str(answer.read().decode())


def addresses(running: Up) -> list[str]:
    miners = json.loads(fetch(running.url("supernode") + "/v1/miners"))["miners"]
    return sorted(str(miner["address"]) for miner in miners)


def test_everything_is_announced_serves_and_ends_with_ctrl_c(tmp_path: Path) -> None:
    with up(tmp_path / "net", *FLAGS) as running:
        names = {
            "supernode",
            *(f"{kind}-{n}" for kind in ("miner", "sidecar") for n in range(1, 5)),
        }
        assert set(running.children) == names
        running.wait_for("note", "wallet")
        for name in names:
            assert fetch(running.url(name) + "/healthz")
        assert "<html" in fetch(running.url("supernode") + "/").lower()
        assert "cybervein_" in fetch(running.url("supernode") + "/metrics")
        assert "cybervein_" in fetch(running.url("sidecar-1") + "/metrics")
        pids = [int(child["pid"]) for child in running.children.values()]
        assert running.interrupt() == 0
        assert running.notes[-1] == "stopped"
        assert not any(alive(pid) for pid in pids)


def test_a_put_works_as_soon_as_up_is_ready_however_long_an_epoch_is(tmp_path: Path) -> None:
    file = tmp_path / "letter"
    file.write_bytes(b"dear miners\n" * 1000)
    with up(tmp_path / "net", "--miners", "4", "--epoch-seconds", "600", "--plots", "1") as running:
        put = cybervein(tmp_path / "net" / "wallet", "put", str(file))
        assert put.returncode == 0, put.stderr
        assert running.interrupt() == 0


def test_the_next_start_goes_on_with_the_same_identities_and_data(tmp_path: Path) -> None:
    data, home = tmp_path / "net", tmp_path / "net" / "wallet"
    file = tmp_path / "letter.txt"
    file.write_bytes(random.Random(7).randbytes(300_000))
    with up(data, *FLAGS) as running:
        first_addresses, first_urls = addresses(running), running.url("miner-1")
        put = cybervein(home, "put", str(file))
        assert put.returncode == 0, put.stderr
        genesis = fetch(running.url("supernode") + "/v1/network.json")
        plots = {path: path.stat().st_mtime_ns for path in data.rglob("*.plot")}
        assert running.interrupt() == 0
    with up(data, *FLAGS) as running:
        assert addresses(running) == first_addresses
        assert running.url("miner-1") == first_urls
        now = fetch(running.url("supernode") + "/v1/network.json")
        assert json.loads(now)["network"] == json.loads(genesis)["network"]
        assert {path: path.stat().st_mtime_ns for path in data.rglob("*.plot")} == plots
        got = cybervein(home, "get", "letter.txt", "--out", str(tmp_path / "copy"))
        assert got.returncode == 0, got.stderr
        assert (tmp_path / "copy").read_bytes() == file.read_bytes()


def test_a_child_that_is_killed_is_noticed_and_named(tmp_path: Path) -> None:
    with up(tmp_path / "net", *FLAGS) as running:
        os.kill(int(running.children["miner-2"]["pid"]), signal.SIGKILL)
        crash = running.wait_for("crashed")
        assert crash["name"] == "miner-2"
        assert "SIGKILL" in crash["text"]


def test_a_second_up_on_the_same_data_is_refused(tmp_path: Path) -> None:
    with (
        up(tmp_path / "net", *FLAGS),
        up(tmp_path / "net", *FLAGS, ready=False) as second,
    ):
        assert second.process.wait() != 0
