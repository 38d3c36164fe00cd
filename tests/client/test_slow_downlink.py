"""Reads over slow lines: k shards and no more where all is slow, a spare where one holder is."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest
from blake3 import blake3
from cybervein_client.download import race
from cybervein_client.download.pace import is_behind, patience
from cybervein_client.download.race import first_k
from cybervein_client.transport import BulkTransport, Receiving, ShardAt
from miner_world import Running, new_world, serving, settings_of, shard_bytes
from secure import secure
from slow_line import Line, slow_line

DATA = shard_bytes(600_000)
ROOT = blake3(DATA).digest()
K, N = 2, 6
FAST = 50_000_000


@pytest.fixture
async def miner(tmp_path: Path) -> AsyncIterator[Running]:
    world = new_world(tmp_path)
    async with serving(world, settings_of(world, tmp_path, tmp_path / "disk")) as running:
        assert (await running.put(DATA))[0] == 201
        yield running


@dataclass
class Holders:
    """The same shard at N addresses, and who was asked for it."""

    miner: Running
    ways: list[str]
    transport: BulkTransport
    asked: list[int] = field(default_factory=list)
    overtaken: list[int] = field(default_factory=list)
    coming: list[Receiving] = field(default_factory=lambda: [Receiving() for _ in range(N)])

    async def fetch(self, index: int) -> bytes:
        self.asked.append(index)
        order = self.miner.world.order(self.miner.key, "GET", ROOT)
        shard = ShardAt(ROOT, len(DATA), self.miner.key, self.ways[index])
        return await self.transport.get(shard, order, coming=self.coming[index])

    def arrived(self, index: int) -> int | None:
        return self.coming[index].arrived()


async def holders(stack: AsyncExitStack, miner: Running, lines: Sequence[Line]) -> Holders:
    """One address for each line."""
    ways = [await stack.enter_async_context(slow_line(miner.url, None, line)) for line in lines]
    transport = BulkTransport(miner.world.bearer)
    stack.callback(transport.close)
    return Holders(miner, ways, transport)


async def test_where_the_customers_own_line_is_slow_k_shards_come_and_no_more(
    miner: Running,
) -> None:
    line = Line(300_000)
    async with AsyncExitStack() as stack:
        from_all = await holders(stack, miner, [line] * N)
        pieces = await first_k(
            K,
            range(N),
            from_all.fetch,
            size=len(DATA),
            arrived=from_all.arrived,
            overtaken=from_all.overtaken.append,
            clock=lambda: line.passed / 100_000,  # time is what passes: no machine is too slow
        )
    assert pieces == dict.fromkeys(range(K), DATA)
    assert from_all.asked == list(range(K))
    assert from_all.overtaken == []
    assert K * len(DATA) <= line.passed < (K + 0.1) * len(DATA)


@pytest.mark.parametrize("passes", [0, 100_000], ids=["from its start", "within its shard"])
async def test_a_holder_that_stalls_costs_a_spare_and_not_the_read(
    miner: Running, passes: int
) -> None:
    stalled = Line(FAST if passes else 0)
    async with AsyncExitStack() as stack:
        from_all = await holders(stack, miner, [stalled, *(Line(FAST) for _ in range(N - 1))])

        def arrived(index: int) -> int | None:
            count = from_all.arrived(index)
            if index == 0 and count and count >= passes:
                stalled.bytes_per_second = 0
            return count

        if passes:
            stalled.bytes_per_second = 100_000
        pieces = await first_k(
            K,
            range(N),
            from_all.fetch,
            size=len(DATA),
            arrived=arrived,
        )
    assert len(pieces) == K
    assert set(pieces.values()) == {DATA}
    assert 0 not in pieces
    assert from_all.asked[: K + 1] == list(range(K + 1))
    assert stalled.passed < len(DATA)


async def test_a_holder_that_trickles_is_overtaken(miner: Running) -> None:
    trickle = Line(4_000)
    async with AsyncExitStack() as stack:
        from_all = await holders(stack, miner, [trickle, *(Line(FAST) for _ in range(N - 1))])
        pieces = await first_k(
            K, range(N), from_all.fetch, size=len(DATA), arrived=from_all.arrived
        )
    assert len(pieces) == K
    assert 0 not in pieces
    assert trickle.passed < len(DATA) / 2


async def test_what_has_come_is_known_under_tls_and_of_a_connection_that_served_before(
    miner: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls = secure(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(tls.authority))
    transport = BulkTransport(miner.world.bearer)
    async with slow_line(miner.url, None, tls=tls) as url:
        for _ in range(2):
            coming = Receiving()
            assert coming.arrived() is None
            order = miner.world.order(miner.key, "GET", ROOT)
            shard = ShardAt(ROOT, len(DATA), miner.key, url)
            assert await transport.get(shard, order, coming=coming) == DATA
            came = coming.arrived()
            assert came is not None
            assert len(DATA) < came < 1.1 * len(DATA)
    transport.close()


async def test_while_nothing_comes_at_all_spares_are_asked_one_at_a_time_and_ever_more_rarely(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(race, "LOOK_SECONDS", 0.001)
    now, started = [0.0], list[float]()

    async def fetch(index: int) -> bytes:
        started.append(now[0])
        if index < 3:
            await asyncio.Event().wait()
        return b"piece"

    def arrived(index: int) -> int:
        now[0] += 0.25 if index == 0 else 0.0
        return 0

    overtaken: list[int] = []
    pieces = await first_k(
        1,
        range(4),
        fetch,
        size=1,
        arrived=arrived,
        overtaken=overtaken.append,
        clock=lambda: now[0],
    )
    assert pieces == {3: b"piece"}
    assert overtaken == [0, 1, 2]
    gaps = [later - sooner for sooner, later in pairwise(started)]
    assert [gap // 2 for gap in gaps] == [1, 2, 4]


async def test_a_connection_that_starves_on_a_full_line_costs_no_spare_before_there_is_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(race, "LOOK_SECONDS", 0.001)
    now, started, done = [0.0], dict[int, float](), asyncio.Event()
    full_until, rate = 10.0, 100_000

    async def fetch(index: int) -> bytes:
        started[index] = now[0]
        await {0: done, 1: asyncio.Event()}.get(index, done).wait()
        return b"piece"

    def arrived(index: int) -> int:
        if index == 1:
            now[0] += 0.25
            return 0
        if now[0] >= full_until:
            done.set()
        return int(now[0] * rate)

    overtaken: list[int] = []
    pieces = await first_k(
        2,
        range(3),
        fetch,
        size=int(full_until * rate),
        arrived=arrived,
        overtaken=overtaken.append,
        clock=lambda: now[0],
    )
    assert pieces == {0: b"piece", 2: b"piece"}
    assert overtaken == [1]
    assert started[2] > full_until


@pytest.mark.parametrize(
    ("left", "rate", "usual", "expected"),
    [
        (8_000_000, 0.0, None, True),  # silent
        (8_000_000, 10_000.0, None, False),  # slow, and nobody to compare with
        (8_000_000, 100_000.0, 80.0, False),  # as slow as the others: the customer's own line
        (8_000_000, 10_000.0, 80.0, True),
        (100_000, 10_000.0, 80.0, False),  # nearly done
    ],
)
def test_a_holder_is_behind_if_the_rest_takes_far_longer_than_a_shard_takes_the_others(
    left: int, rate: float, usual: float | None, *, expected: bool
) -> None:
    assert is_behind(left, rate, usual) is expected


@pytest.mark.parametrize(
    ("usual", "anything_came", "seconds"),
    [(None, False, 2.0), (None, True, 0.3), (0.1, True, 0.3), (8.0, True, 4.0), (80.0, False, 5)],
)
def test_a_holder_may_be_silent_for_longer_on_a_line_where_shards_take_long(
    usual: float | None, seconds: float, *, anything_came: bool
) -> None:
    assert patience(usual, anything_came=anything_came) == seconds
