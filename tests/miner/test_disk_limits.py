"""A disk's limit counts where its filesystem has more: for plots, for shards, and when it grows."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from cybervein_miner.disk.limits import Allowance, Limits
from cybervein_miner.disk.space import Space
from cybervein_miner.plot.inventory import footprint
from cybervein_miner.plot.policy import Wish
from cybervein_protocol.errors import MalformedError, StorageError
from hypothesis import given
from hypothesis import strategies as st
from miner_world import World, serving, settings_of, shard_bytes
from plot_farm import SHAPE, Farm
from waiting import until_async

MIB = 1 << 20
LIMIT = 4 * MIB
FITS = LIMIT // footprint(SHAPE)
Say = Callable[..., Path]


@pytest.fixture
def say(tmp_path: Path) -> Say:
    """Write a file of limits; it names the directory `disk` beside it."""

    def write(size: object, name: str = "limits.json") -> Path:
        (tmp_path / name).write_text(json.dumps({str(tmp_path / "disk"): size}))
        return tmp_path / name

    (tmp_path / "disk").mkdir()
    return write


def farm(folder: Path, *files: Path) -> Farm:
    made = Farm(folder, folder / "disk", wish=Wish(fill_per_mille=1000))
    made.rack.limit(Limits(files, made.inventory.bytes_on))
    return made


async def test_plots_keep_within_the_limit_and_follow_it_when_it_grows(
    tmp_path: Path, say: Say
) -> None:
    made = farm(tmp_path, say(LIMIT))
    await made.fill()
    assert len(made.inventory.rows()) == FITS
    [disk] = made.rack.disks
    assert disk.space().capacity == LIMIT
    assert disk.space().free == LIMIT - FITS * footprint(SHAPE)
    assert disk.available() == disk.space().free
    with pytest.raises(StorageError, match="do not fit"):
        disk.reserve(footprint(SHAPE), tmp_path / "one more")
    say(2 * LIMIT)
    made.plotter = made.more(0)
    made.plotter.wish = Wish(fill_per_mille=1000)
    await made.fill()
    assert len(made.inventory.rows()) == 2 * LIMIT // footprint(SHAPE)


async def test_a_limit_below_what_is_there_lets_nothing_in_and_nothing_go(
    world: World, tmp_path: Path, say: Say
) -> None:
    files = (say(LIMIT),)
    settings = settings_of(world, tmp_path, tmp_path / "disk", wish=Wish(plots=2), limits=files)
    async with serving(world, settings) as miner:
        plotter, board = miner.node.plotter, miner.node.board
        await plotted(plotter.idle)
        [listed] = board.document().disks
        assert (listed.capacity_bytes, listed.plots, listed.reason) == (LIMIT, 2, "")
        assert (await miner.put(shard_bytes(100_000)))[0] == 201
        say(MIB)
        status, text = await miner.put(shard_bytes(100_000, 1))
        assert status == 507, text
        [listed] = board.document().disks
        assert (listed.capacity_bytes, listed.available_bytes, listed.no_room) == (MIB, 0, "full")
        assert "are allowed; raise the limit" in listed.reason
        assert plotter.give_way() == []
        say(LIMIT)
        assert (await miner.put(shard_bytes(100_000, 1)))[0] == 201
        [listed] = board.document().disks
        assert (listed.shards, listed.reason) == (2, "")


async def plotted(idle: Callable[[], bool]) -> None:
    async def met() -> bool:
        return idle()

    await until_async(met, "all is plotted")


async def test_shards_on_their_way_in_count_at_once(tmp_path: Path, say: Say) -> None:
    made = farm(tmp_path, say(LIMIT))
    [disk] = made.rack.disks
    one = disk.reserve(3 * MIB, tmp_path / "one")
    assert disk.available() == MIB
    (tmp_path / "one").write_bytes(bytes(3 * MIB))
    assert disk.available() == MIB, "what of it is written counts no less"
    with pytest.raises(StorageError, match="do not fit"):
        disk.reserve(2 * MIB, tmp_path / "two")
    disk.release(one)
    assert disk.available() == LIMIT


def test_the_later_file_counts_and_one_that_goes_or_is_damaged_lifts_no_limit(
    tmp_path: Path, say: Say
) -> None:
    general, own = say(2 * MIB), say(MIB, "own.json")
    disk, limits = tmp_path / "disk", Limits([general, own])
    assert limits.of("d", disk) == Allowance(MIB, 0)
    own.write_text("{")
    assert limits.of("d", disk) == Allowance(MIB, 0)
    own.unlink()
    assert limits.of("d", disk) == Allowance(MIB, 0)
    say(3 * MIB, "own.json")
    assert limits.of("d", disk) == Allowance(3 * MIB, 0)
    assert limits.of("d", tmp_path / "another") is None
    assert Limits([general, own]).of("d", disk) == Allowance(3 * MIB, 0)


@pytest.mark.parametrize("size", [-1, "4Ti", None])
def test_a_damaged_file_ends_the_start_and_is_named(say: Say, size: object) -> None:
    with pytest.raises(MalformedError, match=r"limits\.json.*bytes by disk path"):
        Limits([say(size)]).check()


def test_a_file_that_is_not_there_limits_nothing(tmp_path: Path) -> None:
    limits = Limits([tmp_path / "none.json"])
    limits.check()
    assert limits.of("d", tmp_path) is None


SIZES = st.integers(0, 1 << 40)


@given(st.tuples(SIZES, SIZES, SIZES), st.tuples(SIZES, SIZES, SIZES))
def test_both_floors_hold(whole: tuple[int, int, int], limit: tuple[int, int, int]) -> None:
    (capacity, free, floor), (size, used, small) = whole, limit
    space = Space(capacity, min(free, capacity), floor).within(size, used, small)
    assert space.capacity == min(capacity, size)
    assert 0 <= space.floor <= space.free
    room = space.free - space.floor
    assert room == max(0, min(min(free, capacity) - floor, size - used - small))
