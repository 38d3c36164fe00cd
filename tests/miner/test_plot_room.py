"""Plots fill disks as far as was asked, and give way."""

import asyncio
from collections.abc import MutableMapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from cybervein_miner.plot.inventory import PlotState, footprint
from cybervein_miner.plot.policy import Wish
from miner_world import Mount, World, serving, settings_of, shard_bytes
from plot_farm import SHAPE, Farm
from structlog.testing import capture_logs

pytestmark = pytest.mark.usefixtures("by_hand")


async def test_a_disk_without_room_gets_no_plot(tmp_path: Path, mount: Mount) -> None:
    small = mount("1m")
    farm = Farm(tmp_path, small, wish=Wish(plots=5))
    await farm.fill()
    assert len(farm.inventory.rows()) <= 1
    assert farm.tally.plots_failed == 0


async def test_plots_fill_a_disk_to_the_share_that_was_asked(tmp_path: Path, mount: Mount) -> None:
    disk = mount("10m")
    farm = Farm(tmp_path, disk, wish=Wish(fill_per_mille=500))
    await farm.fill()
    assert len(farm.inventory.rows()) == 5 * 1024 * 1024 // footprint(SHAPE)


async def test_a_disk_too_small_for_one_plot_is_listed_with_the_reason(
    world: World, tmp_path: Path, mount: Mount
) -> None:
    small = mount("400k")
    with capture_logs() as logs:
        async with serving(world, settings_of(world, tmp_path, small, wish=Wish())) as miner:
            [listed] = miner.node.board.document().disks
    assert (listed.state, listed.placeable) == ("ready", True)
    assert listed.reason.startswith("too small for a plot")
    assert [e["reason"] for e in logs if e["event"] == "no plot is made on a disk"] == [
        listed.reason
    ]


async def test_plots_give_way_to_shards_only_where_there_are_some(
    world: World, tmp_path: Path, mount: Mount
) -> None:
    disk = mount("20m")
    settings = settings_of(world, tmp_path, disk, wish=Wish(fill_per_mille=500))
    async with serving(world, settings) as miner:
        plotter, upkeep = miner.node.plotter, miner.node.upkeep
        while not plotter.idle():
            await asyncio.sleep(0.01)
        free = miner.node.basis.rack.disks[0].available()
        (disk / "films").write_bytes(bytes(free - 1000))
        with capture_logs() as logs:
            await upkeep._round(ask=False)
        assert gave_way(logs) == ["plots give way: the disk fills up, though it holds no shard"]
        (disk / "films").unlink()
        assert (await miner.put(shard_bytes(100_000)))[0] == 201
        miner.node.basis.inventory.drop(miner.node.basis.inventory.rows(PlotState.RETIRING))
        plotter.stop()
        free = miner.node.basis.rack.disks[0].available()
        (disk / "films").write_bytes(bytes(free - 1000))
        with capture_logs() as logs:
            await upkeep._round(ask=False)
        assert gave_way(logs) == ["plots give way to shards"]


def gave_way(logs: Sequence[MutableMapping[str, Any]]) -> list[str]:
    """What was said of it; other duties of the miner speak, too."""
    return [each["event"] for each in logs if each["event"].startswith("plots give way")]


async def test_plots_give_way_when_the_disk_fills_up(tmp_path: Path, mount: Mount) -> None:
    disk = mount("20m")
    farm = Farm(tmp_path, disk, wish=Wish(fill_per_mille=500))
    await farm.fill()
    farm.activate()
    assert farm.plotter.give_way() == []
    (disk / "films").write_bytes(bytes(farm.rack.disks[0].available() - 1000))
    leaving = farm.plotter.give_way()
    assert [row.number for row in leaving] == [max(r.number for r in farm.inventory.rows())]
    assert farm.plotter.idle(), "and no new plot takes the space"


async def test_no_more_plots_give_way_while_the_first_wait_for_the_ledger(
    tmp_path: Path, mount: Mount
) -> None:
    disk = mount("20m")
    farm = Farm(tmp_path, disk, wish=Wish(fill_per_mille=500))
    await farm.fill()
    farm.activate()
    (disk / "films").write_bytes(bytes(farm.rack.disks[0].available() - 1000))
    assert [len(farm.plotter.give_way()) for _ in range(5)] == [1, 0, 0, 0, 0]


async def test_no_plot_gives_way_for_inodes(tmp_path: Path, mount: Mount) -> None:
    disk = mount("20m,nr_inodes=64")
    farm = Farm(tmp_path, disk, wish=Wish(plots=2))
    await farm.fill()
    farm.activate()
    count = 0
    with suppress(OSError):
        for count in range(64):
            (disk / f"mail-{count}").touch()
    assert 0 < count < 63
    assert farm.rack.disks[0].available() == 0
    assert farm.plotter.give_way() == []
