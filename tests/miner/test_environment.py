"""Options of `mine` from the environment, as a container gives them."""

import json
import os
from pathlib import Path

from cybervein_protocol.signing import KeyPair, address
from miner_world import new_world
from services import Command, get_json
from waiting import DEADLINE_SECONDS, until


def test_a_miner_is_told_everything_by_its_environment(tmp_path: Path) -> None:
    world = new_world(tmp_path)
    disks = [tmp_path / "a", tmp_path / "b"]
    for disk in disks:
        disk.mkdir()
    limits = tmp_path / "limits.json"
    limits.write_text(json.dumps({str(disks[0]): 64 << 20}))
    told = {
        "DISK_LIMITS": os.pathsep.join(map(str, (tmp_path / "none.json", limits))),
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
    told = {f"CYBERVEIN_{name}": value for name, value in told.items()}
    child = Command("mine", ("mine",), tmp_path, told, stop_seconds=DEADLINE_SECONDS)
    child.start()
    try:
        run_file = tmp_path / "data" / "run.json"
        until(run_file.exists, "the miner serves", diagnose=child.tail)
        status = get_json(f"{json.loads(run_file.read_bytes())['url']}/v1/status")
        assert (status["group"], status["owner"], status["url"]) == (
            "rack-7", "me", "http://miner.example:4100",
        )  # fmt: skip
        sizes = {disk["path"]: disk["capacity_bytes"] for disk in status["disks"]}
        assert sizes.keys() == set(map(str, disks))
        assert sizes[str(disks[0])] == 64 << 20
        assert status["bandwidth_cap_bytes_per_second"] == 1_000_000
        assert status["plots_wanted"] == 0
    finally:
        assert child.stop() == 0
