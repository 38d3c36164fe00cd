"""Miners over HTTP: pages, drains and requests for relief; and the borders of each."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace

import aiohttp
import pytest
import uvicorn
from cybervein_protocol.encoding import encode
from cybervein_protocol.errors import (
    CyberVeinError,
    ForbiddenError,
    LimitError,
    MalformedError,
    UnknownError,
)
from cybervein_protocol.ledger.mining.bodies import MinerDrain
from cybervein_protocol.messages import InstanceNotice, ReleaseRequest
from cybervein_protocol.signing import KeyPair, address
from cybervein_runtime.http_client import SignedClient
from cybervein_runtime.serving import bind, url_of
from cybervein_supernode.api.app import create_app
from cybervein_supernode.chain.view import LedgerView
from cybervein_supernode.placement.instances import (
    INSTANCES_MAX,
    REMEMBERED_SECONDS,
    Instances,
)
from fake_miner import FakeMiner
from stored_deal import Stored, register, store
from super_lab import Lab

World = tuple[list[FakeMiner], Stored]


@pytest.fixture
async def url(lab: Lab) -> AsyncIterator[str]:
    """The super node's HTTP interface on a real socket."""
    sock = bind("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(create_app(lab.node), log_level="warning"))
    task = asyncio.create_task(server._serve(sockets=[sock]))
    while not server.started:
        await asyncio.sleep(0.01)
    yield url_of(sock)
    server.should_exit = True
    await task


@pytest.fixture
async def world(lab: Lab) -> AsyncIterator[World]:
    """A 2/4 segment over the first four of six miners."""
    miners = [FakeMiner(lab.desk.view.network, f"miner-{i}") for i in range(6)]
    await register(lab, miners)
    yield miners, await store(lab, miners[:4], k=2)
    for miner in miners:
        await miner.stop()


async def get(url: str) -> dict[str, object]:
    async with aiohttp.ClientSession() as http, http.get(url) as answer:
        assert answer.status == 200, await answer.text()
        document: dict[str, object] = await answer.json()
        return document


@pytest.mark.parametrize("limit", [1, 2, 4, 5, 6, 7])
async def test_pages_list_every_miner_once_in_order(world: World, url: str, limit: int) -> None:
    miners, _ = world
    whole = (await get(f"{url}/v1/miners"))["miners"]
    found: list[object] = []
    after = ""
    while True:
        page = await get(f"{url}/v1/miners?limit={limit}{after}")
        assert page["total"] == len(miners)
        assert len(page["miners"]) <= limit  # type: ignore[arg-type]
        found += page["miners"]  # type: ignore[operator]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert found == whole


async def test_a_listing_says_who_drains_and_what_is_left(lab: Lab, world: World, url: str) -> None:
    miners, _ = world
    await lab.send(miners[1].key, MinerDrain(draining=True), free=True)
    listed = (await get(f"{url}/v1/miners"))["miners"]
    rows = {row["address"]: row for row in listed}  # type: ignore[attr-defined]
    name = address(miners[1].key.public)
    assert (rows[name]["draining"], rows[name]["drain"]["remaining"]) == (True, 1)
    assert sum(row["draining"] for row in rows.values()) == 1
    one = await get(f"{url}/v1/miners/{name}?epochs=0")
    assert (one["epochs"], one["drain"]) == ([], {"remaining": 1, "promised": 0, "blocked_by": ""})


async def test_a_miner_is_told_when_where_and_with_what_result_it_was_asked(
    lab: Lab, world: World, url: str
) -> None:
    miners, _ = world
    here, gone = (miner.key.public for miner in miners[:2])
    before = lab.desk.time.wall()
    await miners[1].stop()
    await lab.node.roster.refresh()
    rows = [await get(f"{url}/v1/miners/{address(key)}") for key in (here, gone)]
    assert [row["asked_url"] for row in rows] == [miner.url for miner in miners[:2]]
    assert all(before <= row["asked"] <= lab.desk.time.wall() for row in rows)  # type: ignore[operator]
    assert [row["online"] for row in rows] == [True, False]
    assert (rows[0]["unreachable"], "does not answer" in str(rows[1]["unreachable"])) == ("", True)


async def test_a_shard_that_goes_while_its_page_is_read_does_not_end_the_list(
    world: World, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    miners, _ = world
    key = miners[0].key.public
    path = f"{url}/v1/miners/{address(key)}/shards?limit=1"
    before = await get(path)

    def gone(_: LedgerView, __: bytes) -> None:
        """A block has just ended its deal."""

    monkeypatch.setattr(LedgerView, "shard", gone)
    page = await get(path)
    assert (page["shards"], page["next"]) == ([], before["next"])
    assert before["next"] is not None


async def test_a_miner_asks_for_its_own_relief_only(lab: Lab, world: World, url: str) -> None:
    miners, stored = world
    roots = [root for root, _ in stored.shards[:3]]
    body = encode(ReleaseRequest(v=1, shards=[roots[2], roots[0], bytes(32)]))
    name = address(miners[2].key.public)
    async with SignedClient(miners[2].key) as client:
        answer = await client.request("POST", f"{url}/v1/miners/{name}/release", body=body)
        assert answer.json() == {"v": 1, "shards": [roots[2].hex()], "blocked_by": ""}
    for key in (miners[0].key, KeyPair(b"n" * 32)):
        async with SignedClient(key) as client:
            with pytest.raises(ForbiddenError, match="only the miner itself"):
                await client.request("POST", f"{url}/v1/miners/{name}/release", body=body)
    async with SignedClient() as nobody:
        with pytest.raises(CyberVeinError, match="not signed"):
            await nobody.request("POST", f"{url}/v1/miners/{name}/release", body=body)
    assert len(lab.desk.notebook.releases()) == 1


@pytest.mark.parametrize(
    ("body", "kind"),
    [(b"", MalformedError), (b"\xa0", MalformedError), (b"\x00" * 70_000, LimitError)],
)
async def test_a_malformed_request_for_relief_is_refused(
    world: World, url: str, body: bytes, kind: type[CyberVeinError]
) -> None:
    miners, _ = world
    name = address(miners[0].key.public)
    async with SignedClient(miners[0].key) as client:
        with pytest.raises(kind):
            await client.request("POST", f"{url}/v1/miners/{name}/release", body=body)


async def test_processes_of_a_miner_hear_of_each_other(world: World, url: str) -> None:
    miners, _ = world
    key, name = miners[0].key, address(miners[0].key.public)
    path, body = f"{url}/v1/miners/{name}/instance", encode(InstanceNotice(v=1, instance="b"))
    before = await get(f"{url}/v1/miners/{name}")
    assert (before["instance"], before["instances"]) == (key.public.hex()[:8], [])
    async with SignedClient(key) as client:
        answer = (await client.request("POST", path, body=body)).json()
    assert [each["name"] for each in answer["instances"]] == ["b"]
    row = await get(f"{url}/v1/miners/{name}")
    assert (row["instances"], row["asked"]) == (answer["instances"], before["asked"])
    assert (await get(f"{url}/v1/miners/{address(miners[1].key.public)}"))["instances"] == []
    async with SignedClient(miners[1].key) as client:
        with pytest.raises(ForbiddenError, match="only its own processes"):
            await client.request("POST", path, body=body)
    stranger = KeyPair(b"n" * 32)
    path = f"{url}/v1/miners/{address(stranger.public)}/instance"
    async with SignedClient(stranger) as client:
        with pytest.raises(UnknownError):
            await client.request("POST", path, body=body)


@pytest.mark.parametrize("name", ["", "x" * 33])
async def test_a_process_without_a_name_or_with_a_long_one_is_refused(
    world: World, url: str, name: str
) -> None:
    miners, _ = world
    body = encode(InstanceNotice(v=1, instance=name))
    path = f"{url}/v1/miners/{address(miners[0].key.public)}/instance"
    async with SignedClient(miners[0].key) as client:
        with pytest.raises(MalformedError):
            await client.request("POST", path, body=body)


def test_processes_are_forgotten_when_they_are_silent_and_never_fill_the_memory() -> None:
    now = 0.0
    clock = SimpleNamespace(monotonic=lambda: now, wall=lambda: 1e9 + now)
    known = Instances(clock)  # type: ignore[arg-type]
    for number in range(INSTANCES_MAX + 2):
        known.hear(b"m", str(number))
    known.hear(b"m", "2")
    assert list(known.of(b"m")) == [*map(str, range(3, INSTANCES_MAX + 2)), "2"]
    now = REMEMBERED_SECONDS
    known.hear(b"m", "9")
    assert known.of(b"m")["9"] == 1e9 + now
    now += 1
    assert list(known.of(b"m")) == ["9"]
    assert known.of(b"other") == {}
