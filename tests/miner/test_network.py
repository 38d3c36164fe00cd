"""A miner on a real network: joins, proves, is paid; outages and clock jumps cost no plot."""

import asyncio
import json
import subprocess
import time
from pathlib import Path

from blake3 import blake3
from cybervein_protocol.signing import KeyPair, address
from cybervein_runtime.network_file import load_network
from miner_world import World, serving, settings_of, shard_bytes
from services import Service, get_json, miner, run, super_node
from waiting import until

PAYOUT = KeyPair(b"\x33" * 32)


def active(process: Service) -> bool:
    return bool(process.status()["plots_by_state"]["active"] == 3)


def test_a_miner_joins_proves_survives_outages_and_is_paid(tmp_path: Path) -> None:
    node = super_node(tmp_path / "sn")
    worker = miner(
        tmp_path / "m", tmp_path / "sn" / "network.json", "--plots", "3", "--group", "g",
        "--owner", "o", "--payout", address(PAYOUT.public),
    )  # fmt: skip
    try:
        worker.start()  # before its super node is there
        until(lambda: worker.status()["plots"] == 3, "three plots")
        assert not worker.status()["super_node_reachable"]
        node.start()
        until(lambda: active(worker), "plots to count")
        until(lambda: worker.status()["proofs"]["accepted"] >= 2, "a proof")
        account = f"{node.url}/v1/accounts/{address(PAYOUT.public)}"
        until(lambda: get_json(account)["balance"] > 0, "a reward on the payout account")

        node.kill()
        until(lambda: not worker.status()["super_node_reachable"], "the outage to be seen")
        node.start()
        before = worker.status()["proofs"]["accepted"]
        until(lambda: worker.status()["proofs"]["accepted"] > before, "a proof again")

        worker.kill()
        worker.start()
        assert active(worker), "a restart registers nothing again"
        until(lambda: worker.status()["proofs"]["accepted"] >= 1, "a proof after the restart")
        row = get_json(f"{node.url}/v1/miners/{worker.status()['address']}")
        assert len(row["batches"]) == 1
        assert row["penalties"] == 0
        _change_disks(tmp_path, worker, node)
        assert worker.stop() == 0
    finally:
        worker.kill()
        node.kill()


def _change_disks(tmp_path: Path, worker: Service, node: Service) -> None:
    """`disk add`, `list`, `remove` and `wipe` on the running miner: its plots retire and stay."""
    data = ("--data", str(tmp_path / "m" / "data"))
    (tmp_path / "new").mkdir()
    added = _cli("disk", "add", str(tmp_path / "new"), *data)
    assert added["state"] == "ready"
    first = str(tmp_path / "m" / "disk")
    removed = _cli("disk", "remove", first, *data)
    assert (removed["leaving"], removed["gone"]) == (True, False)
    until(lambda: _disk(worker, first)["state"] == "drained", "the disk to be drained")
    miner_url = f"{node.url}/v1/miners/{worker.status()['address']}"
    until(lambda: worker.status()["plots"] == 3, "new plots on the new disk")
    until(lambda: get_json(miner_url)["plots_active"] == 3, "them to count")
    plots = tmp_path / "m" / "disk" / "cybervein" / "plots"
    assert len(list(plots.glob("*.plot"))) == 3, "a drained disk keeps its files"
    wrong = _run("disk", "wipe", first, "--confirm", added["id"], *data)
    assert (wrong.returncode != 0, "confirm with its id" in wrong.stderr) == (True, True)
    assert len(list(plots.glob("*.plot"))) == 3
    wiped = _cli("disk", "wipe", first, "--confirm", removed["id"], *data)
    assert wiped["files"] >= 6
    assert list((tmp_path / "m" / "disk").iterdir()) == []
    assert [d["path"] for d in _cli("disk", "list", *data)] == [str(tmp_path / "new")]


def _disk(worker: Service, path: str) -> object:
    return next(disk for disk in worker.status()["disks"] if disk["path"] == path)


def _cli(*arguments: str) -> object:
    done = _run(*arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return run("--json", *arguments)


async def test_a_clock_that_jumps_changes_nothing_once_the_network_was_seen(
    world: World, tmp_path: Path
) -> None:
    node = await asyncio.to_thread(super_node, tmp_path / "sn")
    await asyncio.to_thread(node.start)
    try:
        file = tmp_path / "sn" / "network.json"
        settings = settings_of(world, tmp_path / "m", tmp_path / "disk", network=file)
        joined = World(load_network(file), file, world.super_key, world.bearer, world.deal)
        async with serving(joined, settings) as running:
            while not running.node.basis.sight.reachable:
                await asyncio.sleep(0.05)
            owner = running.owner()
            for jump in (86_400 * 365, -86_400 * 365, 0):
                running.node.basis.clock._wall = lambda jump=jump: time.time() + jump
                assert abs(running.node.basis.clock.now() - time.time()) < 5
                assert abs(running.node.basis.clock.skew() - jump) < 5
                answer = await owner.request("GET", f"{running.url}/v1/disks")
                assert answer.status == 200
    finally:
        await asyncio.to_thread(node.kill)


async def test_before_the_network_was_seen_the_wall_clock_decides(
    world: World, tmp_path: Path
) -> None:
    async with serving(world, settings_of(world, tmp_path, tmp_path / "disk")) as running:
        data = shard_bytes(1000)
        assert (await running.put(data))[0] == 201
        running.node.basis.clock._wall = lambda: time.time() + 86_400
        status, body = await running.get(blake3(data).digest())
        assert (status, json.loads(body)["error"]) == (410, "expired")
        assert "24.0 hours behind this server's" in json.loads(body)["message"]
        assert "check the clock" in json.loads(body)["message"]
