"""Shards stay as long as the ledger says that somebody pays for them, and go when it says so."""

import json
import random
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from blake3 import blake3
from cybervein_miner.shard.wanted import WantedShards
from cybervein_protocol.api.super_node.deals import DealDocument
from cybervein_protocol.signing import address
from cybervein_runtime.identity import load_or_create_identity
from documents import made
from miner_world import World, serving, settings_of, shard_bytes
from multiformats import CID
from services import Service, get_json, miner, run, super_node
from waiting import until

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


def held(miners: list[Service], name: str = "shards") -> int:
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
            lambda: sum(row["online"] for row in get_json(online)["miners"]) == 3,
            "three miners online",
        )
        _put(home, tmp_path / "short", "3")
        _put(home, tmp_path / "long", "500")
        assert held(miners) == 6
        until(lambda: held(miners, "shards_trash") == 3, "the short deal's shards to go")
        assert held(miners) == 3
        assert held(miners, "shards_lost") == held(miners, "shards_bad") == 0
        back = tmp_path / "back"
        run("--home", home, "get", "long", "--out", back).check_returncode()
        assert back.read_bytes() == (tmp_path / "long").read_bytes()
    finally:
        for each in (*miners, node):
            each.kill()


def _put(home: Path, file: Path, epochs: str) -> None:
    file.write_bytes(random.Random(epochs).randbytes(100_000))
    done = run("--home", home, "--json", "put", file, "--epochs", epochs, "--code", "2/3")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["name"] == file.name


class Ledger:
    """A super node that knows one active deal; `between` happens while it answers."""

    def __init__(self) -> None:
        self.own: set[bytes] = set()
        self.between: Callable[[], Awaitable[object]] | None = None

    async def deal(self, deal: str) -> DealDocument:
        del deal
        return made(DealDocument, state="active", expires=100)

    async def own_roots(self, deal: CID) -> set[bytes]:
        del deal
        answer = set(self.own)
        if self.between is not None:
            await self.between()
        return answer


async def test_a_shard_that_is_moved_back_in_time_begins_its_grace_anew(
    world: World, tmp_path: Path
) -> None:
    async with serving(world, settings_of(world, tmp_path, tmp_path / "disk")) as running:
        data = shard_bytes(1000)
        root, ledger, now = blake3(data).digest(), Ledger(), [0.0]
        assert (await running.put(data))[0] == 201
        store = running.node.basis.store
        wanted = WantedShards(store, ledger, 10.0, lambda: now[0])  # type: ignore[arg-type]
        assert await wanted.look() == 0  # moved away: the grace begins
        now[0] = 11.0
        ledger.between = lambda: running.put(data)  # moved back while the ledger answers
        assert await wanted.look() == 0
        ledger.between = None
        assert await wanted.look() == 0, "moved away again: a new grace"
        assert await running.get(root) == (200, data)
        now[0] = 22.0
        assert await wanted.look() == 1
