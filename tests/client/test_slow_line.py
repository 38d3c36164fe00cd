"""Uploads over slow lines and past slow miners: progress is what the peer has taken."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from blake3 import blake3
from cybervein_client import AsyncClient
from cybervein_client.catalogue import FileState
from cybervein_client.transport import BulkTransport, Sending, ShardAt
from cybervein_client.upload import FileSource, uplink
from cybervein_client.upload.budget import ByteBudget
from cybervein_client.upload.shards import SegmentJob, ShardUploader
from cybervein_client.upload.uplink import LANES_MAX, LANES_MIN, Uplink, lanes_for
from cybervein_miner.api import bulk
from cybervein_protocol.encoding import node_cid
from cybervein_protocol.errors import UnavailableError
from cybervein_protocol.messages import Order, Receipt
from cybervein_protocol.placement import Code
from miner_world import Running, new_world, serving, settings_of, shard_bytes
from secure import Secure, secure
from slow_line import Line, slow_line

Noise = Callable[..., Path]
STALL_SECONDS = 3.0  # a busy machine is silent for a second
CODE = Code(2, 4)


@pytest.fixture
async def miner(tmp_path: Path) -> AsyncIterator[Running]:
    world = new_world(tmp_path)
    async with serving(world, settings_of(world, tmp_path, tmp_path / "disk")) as running:
        yield running


async def put(
    transport: BulkTransport, miner: Running, url: str, data: bytes, **more: Sending
) -> Receipt:
    root = blake3(data).digest()
    order = miner.world.order(miner.key, "PUT", root)
    shard = ShardAt(root, len(data), miner.key, url)
    return await transport.put(shard, 0, 0, order, data, **more)


async def test_a_line_on_which_a_shard_takes_longer_than_any_silence_may_carries_it(
    miner: Running, tls: Secure | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "STALL_SECONDS", STALL_SECONDS)  # the miner's own patience
    data = shard_bytes(600_000)
    async with slow_line(miner.url, Line(150_000), tls=tls) as url:
        transport = BulkTransport(miner.world.bearer, stall_seconds=STALL_SECONDS)
        transfer = Sending(len(data))
        receipt = await put(transport, miner, url, data, transfer=transfer)
        transport.close()
    assert receipt.size == transfer.acknowledged == len(data)
    assert transfer.rate(0) < 200_000


@pytest.fixture(params=[False, True], ids=["http", "https"])
def tls(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Secure | None:
    """What miners are reached by; its authority is the system's."""
    if not request.param:
        return None
    made = secure(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.authority))
    return made


async def test_a_miner_that_takes_nothing_is_given_up_and_hears_of_it_at_once(
    miner: Running, tls: Secure | None
) -> None:
    data, line = shard_bytes(600_000), Line(2_000_000)
    async with slow_line(miner.url, line, tls=tls) as url:
        transport = BulkTransport(miner.world.bearer, stall_seconds=STALL_SECONDS)
        sending = asyncio.create_task(put(transport, miner, url, data))
        while line.passed < 100_000:
            await asyncio.sleep(0.005)
        line.bytes_per_second = 0
        with pytest.raises(UnavailableError, match=r"silent for 3 s after \d+ of 600000 bytes"):
            await sending
        line.bytes_per_second = 2_000_000
        while not miner.node.basis.tally.upload_failures:
            await asyncio.sleep(0.005)
        assert line.passed < len(data)  # what waited was dropped
        assert (await put(transport, miner, url, data)).size == len(data)
        transport.close()


async def test_the_slowest_miner_there_may_be_takes_several_shards_at_once(tmp_path: Path) -> None:
    world = new_world(tmp_path)
    settings = settings_of(world, tmp_path, tmp_path / "disk", bandwidth=128 * 1024)
    async with serving(world, settings) as miner:
        transport = BulkTransport(world.bearer, stall_seconds=2 * STALL_SECONDS)
        shards = [shard_bytes(200_000, seed) for seed in range(3)]
        transfers = [Sending(len(data)) for data in shards]
        receipts = await asyncio.gather(
            *(
                put(transport, miner, miner.url, data, transfer=transfer)
                for data, transfer in zip(shards, transfers, strict=True)
            )
        )
        transport.close()
    assert [receipt.size for receipt in receipts] == [200_000] * 3
    assert all(transfer.taken for transfer in transfers), "a receipt is for all bytes"


@pytest.mark.parametrize(
    ("bytes_per_second", "expected"),
    [(0, LANES_MIN), (600_000, LANES_MIN), (4_000_000, 10), (100_000_000, LANES_MAX)],
)
def test_a_line_takes_as_many_shards_at_once_as_arrive_in_good_time(
    bytes_per_second: float, expected: int
) -> None:
    assert lanes_for(bytes_per_second, 8_000_000) == expected


async def test_lanes_close_on_a_slow_line_and_a_transfer_that_lags_is_known() -> None:
    now = [0.0]
    line = Uplink(clock=lambda: now[0], open=3, lag_seconds=10)
    inside: list[Sending] = []
    leave = asyncio.Event()

    async def send() -> None:
        transfer = Sending(8_000_000, began=0.0, moved=0.0)
        async with line.lane(transfer):
            inside.append(transfer)
            await leave.wait()

    sending = [asyncio.create_task(send()) for _ in range(5)]
    while len(inside) < 3:
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert len(inside) == 3
    now[0] = 40.0
    for each in inside:
        each.acknowledged, each.moved = each.size, 40.0
    leave.set()
    await asyncio.gather(*sending)
    assert line.open == LANES_MIN
    slow = Sending(8_000_000, acknowledged=8_000, began=35.0)
    assert not line.lags(slow)  # too early to say
    now[0] = 45.0
    assert line.lags(slow)
    assert not line.lags(Sending(8_000_000, acknowledged=1_000_000, began=35.0))
    assert not line.lags(Sending(8_000, acknowledged=8_000, began=35.0))  # its miner syncs


async def test_the_wait_for_a_lane_is_not_held_against_a_miner() -> None:
    now = [0.0]
    line = Uplink(clock=lambda: now[0], lag_seconds=10)
    quick = Sending(8_000_000, began=0.0)
    waited = Sending(8_000_000, began=0.0)
    async with line.lane(quick):
        now[0] = quick.moved = 8.0
        quick.acknowledged = quick.size
    now[0] = 30.0
    async with line.lane(waited):
        assert not line.lags(waited)
        now[0] = 41.0
        assert line.lags(waited)


async def test_a_receipt_that_comes_while_a_spare_is_asked_for_is_not_thrown_away() -> None:
    asked, sent = asyncio.Event(), asyncio.Event()

    class Slow:
        async def put(self, *_: object, **__: object) -> str:
            await asked.wait()
            sent.set()
            return "the receipt"

        async def orders(self, *_: object) -> list[object]:
            asked.set()
            await sent.wait()
            await asyncio.sleep(0)
            return [grant]

    order = SimpleNamespace(root=bytes(32), miner=bytes(32), verb="PUT")
    grant: Any = SimpleNamespace(segment=0, index=0, url="http://slow", order=order)
    job = SegmentJob(node_cid(b"deal"), 0, {0: b"data"}, [bytes(32)], {}, lambda *_: None)
    line, both = Uplink(lag_seconds=0.0), Slow()
    line.lags = lambda _: True  # type: ignore[method-assign]
    uploader = ShardUploader(
        supernode=both, transport=both, fetcher=None,  # type: ignore[arg-type]
        network=node_cid(b"network"), budget=ByteBudget(10), uplink=line,
    )  # fmt: skip
    assert await uploader._sent(job, grant, Sending(4)) == (None, "the receipt")
    assert not uploader.failures.by_miner


class Rerouted(BulkTransport):
    """Uploads to some miners go another way; what was sent is counted."""

    def __init__(self, client: AsyncClient, route: Callable[[ShardAt], Any]) -> None:
        super().__init__(client.key, stall_seconds=10.0)
        self._route = route
        self.sent: list[bytes] = []

    async def put(  # type: ignore[override]
        self, shard: ShardAt, segment: int, index: int, order: Order, data: bytes, **more: Any
    ) -> Receipt:
        self.sent.append(shard.root)
        url = await self._route(shard)
        return await super().put(replace(shard, url=url), segment, index, order, data, **more)


async def test_a_file_is_stored_over_an_uplink_that_all_miners_share(
    client: AsyncClient, noise: Noise
) -> None:
    line = Line(500_000)
    async with AsyncExitStack() as stack:
        ways: dict[str, str] = {}

        async def route(shard: ShardAt) -> str:
            if shard.url not in ways:
                ways[shard.url] = await stack.enter_async_context(slow_line(shard.url, line))
            return ways[shard.url]

        client._transport = Rerouted(client, route)
        row = await client.put(FileSource(noise(500_000)), "file", code=CODE)
        client._transport.close()
    assert row.state is FileState.STORED
    assert line.passed > 1_000_000


async def test_one_very_slow_miner_costs_a_spare_and_not_the_put(
    client: AsyncClient, noise: Noise, tls: Secure | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uplink, "LAG_SECONDS", 2.0)
    turn, slow = asyncio.Lock(), dict[bytes, str]()
    async with AsyncExitStack() as stack:

        async def route(shard: ShardAt) -> str:
            async with turn:
                if not slow:
                    way = slow_line(shard.url, Line(4_000), tls=tls)
                    slow[shard.miner] = await stack.enter_async_context(way)
            return slow.get(shard.miner, shard.url)

        transport = Rerouted(client, route)
        client._transport = transport
        row = await client.put(FileSource(noise(500_000)), "file", code=CODE)
        transport.close()
    [segment] = client.catalogue.segments(row.id)
    assert not {entry.miner for entry in segment.shards} & set(slow)
    assert len(transport.sent) > CODE.n


async def test_a_put_that_broke_within_a_segment_sends_only_what_no_miner_has(
    client: AsyncClient, noise: Noise
) -> None:
    class PowerCutError(Exception):
        pass

    turn, done = asyncio.Lock(), []

    async def cut(shard: ShardAt) -> str:
        async with turn:
            file = client.catalogue.resolve("file")
            [deal] = client.catalogue.deals(file.id)
            while len(client.catalogue.receipts(file.id, 0, deal.cid)) < len(done):
                await asyncio.sleep(0.005)
            if len(done) == 2:
                raise PowerCutError
            done.append(shard.root)
            return shard.url

    source = noise(500_000)
    client._transport = Rerouted(client, cut)
    with pytest.raises(ExceptionGroup):
        await client.put(FileSource(source), "file", code=CODE)
    file = client.catalogue.resolve("file")
    sealed = client.catalogue.sealed(file.id, 0)
    assert sealed is not None
    assert set(done) <= set(sealed.roots)

    async def straight(shard: ShardAt) -> str:
        return shard.url

    transport = Rerouted(client, straight)
    client._transport = transport
    await client.put(FileSource(source), "file")
    [segment] = client.catalogue.segments(file.id)
    assert segment.salt == sealed.salt
    assert sorted(transport.sent) == sorted(set(sealed.roots) - set(done))
    assert client.catalogue.sealed(file.id, 0) is None
    assert b"".join([data async for data in client.stream("file")]) == source.read_bytes()
