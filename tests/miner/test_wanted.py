"""Shards stay as long as the ledger says that somebody pays for them, and go when it says so."""

import json
import random
import shutil
import subprocess
from pathlib import Path

from cybervein_protocol.signing import address
from cybervein_runtime.identity import load_or_create_identity
from processes import Process, command, get_json, miner, super_node, until


def held(miners: list[Process], name: str = "shards") -> int:
    return sum(int(each.status()[name]) for each in miners)


def test_shards_of_an_ended_deal_go_to_the_trash_and_others_stay(tmp_path: Path) -> None:
    home = tmp_path / "home"
    wallet = load_or_create_identity(home / "identity.json")
    fund = ("--fund", f"{address(wallet.keys.public)}={10**13}")
    node = super_node(tmp_path / "sn", 4, *fund).start()
    network = tmp_path / "sn" / "network.json"
    shutil.copy(network, home / "network.json")
    miners = [
        miner(tmp_path / f"m{n}", network, "--plots", "1", "--group", f"g{n}", "--owner", f"o{n}")
        for n in range(3)
    ]
    try:
        for each in miners:
            each.start()
        online = f"{node.url}/v1/miners"
        until(
            "three miners online",
            lambda: sum(row["online"] for row in get_json(online)["miners"]) == 3,
        )
        _put(home, tmp_path / "short", "3")
        _put(home, tmp_path / "long", "500")
        assert held(miners) == 6
        until("the short deal's shards to go", lambda: held(miners, "shards_trash") == 3, 120)
        assert held(miners) == 3
        assert held(miners, "shards_lost") == held(miners, "shards_bad") == 0
        back = tmp_path / "back"
        subprocess.run(
            command("--home", str(home), "get", "long", "--out", str(back)),
            check=True,
            capture_output=True,
        )
        assert back.read_bytes() == (tmp_path / "long").read_bytes()
    finally:
        for each in (*miners, node):
            each.kill()


def _put(home: Path, file: Path, epochs: str) -> None:
    file.write_bytes(random.Random(epochs).randbytes(100_000))
    line = command(
        *("--home", str(home), "--json", "put", str(file)), "--epochs", epochs, "--code", "2/3"
    )
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["name"] == file.name
