"""Options of `mine` from the environment, as a container gives them."""

import json
import os
import subprocess
from pathlib import Path

from cybervein_protocol.signing import KeyPair, address
from miner_world import new_world
from processes import command, get_json, until


def test_a_miner_is_told_everything_by_its_environment(tmp_path: Path) -> None:
    world = new_world(tmp_path)
    disks = [tmp_path / "a", tmp_path / "b"]
    for disk in disks:
        disk.mkdir()
    told = {
        "NETWORK": str(world.file),
        "DATA": str(tmp_path / "data"),
        "DISK": os.pathsep.join(map(str, disks)),
        "PLOTS": "0",
        "GROUP": "rack-7",
        "OWNER": "me",
        "URL": "http://miner.example:4100",
        "CONTROL": address(KeyPair(b"\x0c" * 32).public),
        "BANDWIDTH": "1000000",
        "PORT": "tcp://10.0.0.7:4100",  # what Kubernetes sets for a Service named cybervein
    }
    environment = os.environ | {f"CYBERVEIN_{name}": value for name, value in told.items()}
    child = subprocess.Popen(command("mine"), env=environment, stderr=subprocess.DEVNULL)
    try:
        run_file = tmp_path / "data" / "run.json"
        until("the miner to serve", run_file.exists)
        status = get_json(f"{json.loads(run_file.read_bytes())['url']}/v1/status")
        assert (status["group"], status["owner"], status["url"]) == (
            "rack-7", "me", "http://miner.example:4100",
        )  # fmt: skip
        assert {disk["path"] for disk in status["disks"]} == set(map(str, disks))
        assert status["bandwidth_cap_bytes_per_second"] == 1_000_000
        assert status["plots_wanted"] == 0
    finally:
        child.terminate()
        assert child.wait(40) == 0
