"""Miners and disks that drain while a file is read: no read fails, nothing is plotted again."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cybervein_client import AsyncClient
from cybervein_client.upload import FileSource
from cybervein_client.upload.source import Piece
from cybervein_protocol.placement import Code
from real_network import RealMiner, RealNetwork
from services import run as cybervein
from waiting import until

SIZE = 3_000_000
SEGMENT_BYTES = 256 * 65_520
MINERS = 8
Noise = Callable[..., Path]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealNetwork]:
    """A network of its own: wide deals of other tests would leave no free domain."""
    network = RealNetwork(tmp_path_factory.mktemp("drains"), MINERS)
    try:
        network.start()
        yield network
    finally:
        network.stop()


def run(miner: RealMiner, *arguments: str) -> Any:
    """A `cybervein` command on a miner's data; its JSON."""
    done = cybervein("--json", *arguments, "--data", miner.home / "data")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


async def holders(network: RealNetwork, client: AsyncClient) -> list[RealMiner]:
    """The miners that hold the wallet's shards now, by index."""
    [deal] = client.catalogue.deals(client.files()[0].id)
    held = await client.supernode.shards(deal.cid)
    by_address = {miner.address: miner for miner in network.miners}
    return [by_address[str(shard.miner)] for shard in held]


async def read_until(client: AsyncClient, expected: bytes, done: asyncio.Event) -> int:
    """Read the file again and again; how often it was whole. The first failed read raises.

    The pauses leave the machine to the miners that drain: reads are there to meet each moment of
    theirs, not to slow it down.
    """
    reads = 0
    while not done.is_set() or not reads:
        data = b"".join([part async for part in client.stream("held")])
        assert data == expected
        reads += 1
        await asyncio.sleep(0.05)
    return reads


async def test_reads_succeed_all_along_while_holders_drain_and_after_they_are_gone(
    network: RealNetwork, client: AsyncClient, noise: Noise
) -> None:
    file = noise(SIZE, 77)
    await client.put(FileSource(file), "held", code=Code(2, 4))
    first = (await holders(network, client))[:3]
    done = asyncio.Event()
    reading = asyncio.create_task(read_until(client, file.read_bytes(), done))
    stale = client._reader(client.stored("held"))
    await stale._locate()
    answers = await asyncio.gather(*(asyncio.to_thread(run, m, "drain") for m in first))
    for miner, answer in zip(first, answers, strict=True):
        assert (answer["drained"], answer["held_shards"]) == (True, 0)
        status = miner.status()
        assert (status["draining"], status["drained"], status["drain"]["plots_live"]) == (
            True, True, 0,
        )  # fmt: skip
    assert not {m.address for m in first} & {m.address for m in await holders(network, client)}
    for miner in first:
        miner.kill()
    # This reader asked for the holders before the drain: it finds the new ones.
    wanted = list(stale._wanted(0, stale.size))
    data = b"".join([await stale._read(part) for part in wanted])
    assert data == file.read_bytes()
    done.set()
    assert await reading > 0
    for miner in first:
        miner.revive()
        assert run(miner, "drain", "--cancel")["draining"] is False
    until(lambda: all(plots_count(network, miner) for miner in first), "plots to count again")


class Held(FileSource):
    """A file whose second segment is not there before a test lets go."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.go = threading.Event()

    def pieces(self, segment_bytes: int) -> Iterator[Piece]:
        for piece in super().pieces(segment_bytes):
            if piece.number:
                self.go.wait()
            yield piece


async def test_a_miner_with_shards_of_an_open_deal_is_not_drained_before_they_moved(
    network: RealNetwork, client: AsyncClient, noise: Noise
) -> None:
    file = noise(SEGMENT_BYTES + 1, 80)
    source, acknowledged = Held(file), asyncio.Event()

    def progress(count: int) -> None:
        if count:
            acknowledged.set()

    putting = asyncio.create_task(client.put(source, "held", code=Code(2, 4), progress=progress))
    try:
        await acknowledged.wait()
        miner = next(m for m in network.miners if promised(network, m))
        await asyncio.to_thread(run, miner, "drain", "--no-wait")

        def else_empty() -> bool:
            status = miner.status()
            drain = status["drain"]
            assert not status["drained"]
            return drain["final"] and (status["held_shards"], drain["plots_live"]) == (0, 0)

        await asyncio.to_thread(until, else_empty, "nothing but the open deal to be left")
        assert miner.status()["drain"]["promised"] == 1
    finally:
        source.go.set()
        await putting
    await asyncio.to_thread(until, lambda: miner.status()["drained"], "the drain to end")
    assert miner.address not in {m.address for m in await holders(network, client)}
    assert b"".join([part async for part in client.stream("held")]) == file.read_bytes()
    run(miner, "drain", "--cancel")


def promised(network: RealNetwork, miner: RealMiner) -> int:
    return int(network.get(f"/miners/{miner.address}?epochs=0")["drain"]["promised"])


def plots_count(network: RealNetwork, miner: RealMiner) -> bool:
    row = network.get(f"/miners/{miner.address}")
    return row["plots_active"] == 1 and not row["draining"]


async def test_the_only_disk_of_a_miner_drains_by_way_of_the_network(
    network: RealNetwork, client: AsyncClient, noise: Noise
) -> None:
    file = noise(SIZE, 78)
    await client.put(FileSource(file), "held", code=Code(2, 4))
    miner = (await holders(network, client))[0]
    [disk] = miner.status()["disks"]
    done = asyncio.Event()
    reading = asyncio.create_task(read_until(client, file.read_bytes(), done))
    await asyncio.to_thread(run, miner, "disk", "remove", disk["id"])
    await asyncio.to_thread(until, lambda: state(miner) == "drained", "the disk to be drained")
    assert miner.address not in {m.address for m in await holders(network, client)}
    done.set()
    assert await reading > 0
    row = network.get(f"/miners/{miner.address}")
    assert (row["held_shards"], row["plots"], row["draining"]) == (0, 0, False)
    assert list((miner.disk / "cybervein" / "plots").glob("*.plot"))
    back = run(miner, "disk", "add", str(miner.disk))
    assert (back["state"], back["plots"]) == ("ready", 1)
    until(lambda: plots_count(network, miner), "the same plot to count again")


def state(miner: RealMiner) -> str:
    [disk] = miner.status()["disks"]
    return str(disk["state"])


async def test_without_a_free_domain_a_drain_says_so_and_nothing_is_lost(
    network: RealNetwork, client: AsyncClient, noise: Noise
) -> None:
    file = noise(SIZE, 79)
    await client.put(FileSource(file), "held", code=Code(2, MINERS))
    miner = (await holders(network, client))[0]
    answer = await asyncio.to_thread(run, miner, "drain", "--no-wait")
    assert (answer["draining"], answer["drained"]) == (True, False)

    def blocked() -> bool:
        status = miner.status()
        assert not status["drained"]
        return "cannot place 1 shards" in status["drain"]["blocked_by"]

    await asyncio.to_thread(until, blocked, "the reason to be told")
    row = network.get(f"/miners/{miner.address}")
    held = row["held_shards"]
    assert row["drain"]["remaining"] == held > 0

    def cleared() -> bool:  # of what an earlier test moved away from it
        return bool(miner.status()["held_shards"] == held)

    await asyncio.to_thread(until, cleared, "the miner to hold what the ledger says")
    assert b"".join([part async for part in client.stream("held")]) == file.read_bytes()
    answer = await asyncio.to_thread(run, miner, "drain", "--cancel")
    assert (answer["draining"], answer["drain"]["blocked_by"]) == (False, "")
    # Its shards kept a part of the bond: what is paid for the plots again is only the rest.
    await asyncio.to_thread(until, lambda: plots_count(network, miner), "plots to count again")
