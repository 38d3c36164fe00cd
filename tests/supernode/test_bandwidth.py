"""Bandwidth: what counts is what arrived in time and verified."""

from collections.abc import AsyncIterator

import pytest
from cybervein_protocol.presets import TEST
from cybervein_supernode.bandwidth.meter import Meter
from cybervein_supernode.bandwidth.speed import Read, bytes_per_second
from fake_miner import FakeMiner
from hypothesis import given
from hypothesis import strategies as st
from stored_deal import register, store
from super_lab import Lab


def test_a_long_test_is_the_median_of_its_seconds_so_a_burst_or_a_stall_decides_nothing() -> None:
    steady = [Read(second + 0.5, 100) for second in range(9)]
    assert bytes_per_second(steady, 9.0) == 100
    assert bytes_per_second([*steady, Read(3.6, 100_000)], 9.0) == 100
    assert bytes_per_second([read for read in steady if int(read.at_seconds) != 4], 9.0) == 100


def test_a_short_test_is_its_bytes_over_its_time() -> None:
    assert bytes_per_second([Read(0.1, 500), Read(0.2, 500)], 0.25) == 4000


def test_nothing_read_is_nothing() -> None:
    assert bytes_per_second([], 1.0) == 0
    assert bytes_per_second([Read(0.0, 10)], 0.0) == 0


@given(
    st.lists(st.tuples(st.floats(0, 30), st.integers(1, 1 << 20)), max_size=50),
    st.floats(0.01, 30),
)
def test_the_rate_never_exceeds_all_bytes_over_the_time_of_the_busiest_second(
    reads: list[tuple[float, int]], elapsed: float
) -> None:
    made = [Read(at, size) for at, size in reads]
    rate = bytes_per_second(made, elapsed)
    total = sum(read.bytes for read in made)
    assert 0 <= rate <= max(total, total / elapsed)


@pytest.fixture
async def miners(lab: Lab) -> AsyncIterator[list[FakeMiner]]:
    made = [FakeMiner(lab.desk.view.network, f"miner-{i}") for i in range(3)]
    await register(lab, made)
    await store(lab, made, k=2)
    yield made
    for miner in made:
        await miner.stop()


async def measure(lab: Lab, miner: FakeMiner) -> int:
    """The bytes per second of one measurement."""
    meter = Meter(lab.desk, lab.node.roster._miners)
    row = lab.desk.view.miner(miner.key.public)
    entry = await meter._measure(lab.timeline(), miner.key.public, row)
    assert entry is not None
    assert lab.desk.evidence.read(entry.evidence)
    return entry.bytes_per_second


async def test_a_quick_miner_measures_more_than_a_slow_one_and_that_more_than_a_liar(
    lab: Lab, miners: list[FakeMiner]
) -> None:
    miners[1].seconds_per_read = 0.2
    miners[2].misbehave = "wrong bytes"
    quick, slow, liar = [await measure(lab, miner) for miner in miners]
    assert quick > slow > liar == 0
    per_read = TEST.bandwidth_read_bytes
    assert slow <= 4 * per_read / 0.2  # four streams, 0.2 s for each read


async def test_a_miner_that_hangs_has_nothing_after_the_tests_seconds(
    lab: Lab, miners: list[FakeMiner]
) -> None:
    miners[0].misbehave = "silence"
    began = lab.desk.time.monotonic()
    assert await measure(lab, miners[0]) == 0
    assert lab.desk.time.monotonic() - began < TEST.bandwidth_test_seconds_max + 5


async def test_an_epochs_results_are_in_the_ledger_once_per_miner(
    lab: Lab, miners: list[FakeMiner]
) -> None:
    meter = Meter(lab.desk, lab.node.roster._miners)
    timeline = lab.timeline()
    await meter.run(timeline)
    await meter.run(timeline)
    for miner in miners:
        row = lab.desk.view.miner(miner.key.public)
        assert row.bandwidth_epoch == timeline.epoch + 1
        assert row.bandwidth is not None
        assert row.bandwidth > 0


async def test_miners_of_one_group_are_measured_at_the_same_moment(
    lab: Lab, miners: list[FakeMiner]
) -> None:
    twin = FakeMiner(lab.desk.view.network, "twin")
    await twin.start()
    await lab.register(twin.key, twin.url, "miner-0")
    await store(lab, [twin, *miners[1:]], k=2)
    groups = Meter(lab.desk, lab.node.roster._miners)._groups(0)
    keys = [{key for key, _ in group} for group in groups]
    assert {miners[0].key.public, twin.key.public} in keys
    assert len(keys) == 3
    await twin.stop()
