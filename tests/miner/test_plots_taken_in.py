"""Plots and their disks: made whole or not at all, taken in again, given up."""

import asyncio
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cybervein_miner.disk.disk import Disk
from cybervein_miner.plot import plotter as plotter_module
from cybervein_miner.plot.adoption import take_in
from cybervein_miner.plot.batches import Batches
from cybervein_miner.plot.inventory import PlotState, metadata_path, plot_path
from cybervein_miner.plot.making import StoppedError, make_plot_file, partial_path
from cybervein_miner.plot.policy import Wish
from cybervein_protocol.api.miner.disks import DiskBody
from cybervein_protocol.errors import StorageError
from cybervein_protocol.presets import TEST
from miner_world import World, serving, settings_of
from plot_farm import SHAPE, Farm, file_of, proven

pytestmark = pytest.mark.usefixtures("by_hand")


async def test_plots_survive_a_restart_byte_for_byte(farm: Farm, tmp_path: Path) -> None:
    before = {row.number: file_of(farm, row.number).read_bytes() for row in farm.inventory.rows()}
    again = farm.again(tmp_path)
    assert {
        r.number: file_of(again, r.number).read_bytes() for r in again.inventory.rows()
    } == before
    assert again.problems == []
    assert len(proven(again)) == 3


async def test_an_interrupted_plot_leaves_nothing_and_its_number_is_not_used_again(
    farm: Farm, tmp_path: Path
) -> None:
    disk = farm.rack.disks[0]
    number = farm.inventory.next_number()
    path = plot_path(disk, number)

    def stop(_done: int, _total: int) -> None:
        raise StoppedError

    with pytest.raises(StoppedError):
        make_plot_file(path, farm.identity.keys, number, SHAPE, stop)
    assert not list(path.parent.glob(f"{path.name}*"))
    (path.parent / f"{path.name}.partial").write_bytes(bytes(1000))
    path.write_bytes(bytes(SHAPE.plot_bytes))  # renamed, but killed before its metadata
    again = farm.again(tmp_path)
    assert not list(path.parent.glob(f"{path.name}*"))
    assert len(again.inventory.rows()) == 3
    assert again.inventory.next_number() > number


async def test_a_lost_note_is_written_again(farm: Farm, tmp_path: Path) -> None:
    note = metadata_path(file_of(farm, 0))
    whole = note.read_bytes()
    note.unlink()
    again = farm.again(tmp_path)
    assert note.read_bytes() == whole
    assert len(proven(again)) == 3


async def test_a_journal_that_was_lost_is_rebuilt_from_the_disk(farm: Farm, tmp_path: Path) -> None:
    farm.journal.close()
    fresh = Farm(tmp_path / "fresh", tmp_path / "d", identity=farm.identity)
    assert [row.number for row in fresh.inventory.rows(PlotState.MADE)] == [0, 1, 2]
    assert fresh.inventory.next_number() == 3


@pytest.mark.parametrize("damage", ["truncated", "longer", "gone", "another's note"])
async def test_a_damaged_plot_is_found_at_the_start(
    farm: Farm, tmp_path: Path, damage: str
) -> None:
    path = file_of(farm, 1)
    if damage == "gone":
        path.unlink()
    elif damage == "another's note":
        shutil.copy(metadata_path(file_of(farm, 2)), metadata_path(path))
    else:
        data = path.read_bytes()
        path.write_bytes(data[:-512] if damage == "truncated" else data + bytes(512))
    again = farm.again(tmp_path)
    assert len(again.problems) == 1
    assert [row.number for row in again.inventory.rows(PlotState.BAD)] == [1]
    assert len(proven(again)) == 2


@pytest.mark.parametrize("state", [PlotState.MADE, PlotState.VOID])
async def test_a_verdict_after_its_disk_was_forgotten_leaves_no_plot_behind(
    farm: Farm, state: PlotState
) -> None:
    rows = farm.inventory.rows()
    farm.inventory.set_state(rows, state, None)
    nobody: Any = None  # no unit rests on them: nothing is said to the ledger
    batches = Batches(farm.inventory, nobody, nobody, TEST)
    assert await batches.retire() == 0
    [disk] = farm.rack.disks
    farm.rack.forget(disk)
    assert await batches.retire() == len(rows)
    assert farm.inventory.rows() == []
    assert plot_path(disk, rows[0].number).exists(), "its files stay"


async def test_plots_that_could_not_be_seen_are_not_gone(
    farm: Farm, monkeypatch: pytest.MonkeyPatch
) -> None:
    [disk] = farm.rack.disks
    broken, listed = disk.folder("plots"), Path.iterdir

    def iterdir(place: Path) -> object:
        if place == broken:
            raise OSError(5, "Input/output error")
        return listed(place)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    take_in(farm.inventory, farm.identity.keys, farm.rack.disks)
    assert farm.inventory.rows(PlotState.BAD) == []


async def test_a_plot_in_the_making_outlives_its_disk_being_added_again(farm: Farm) -> None:
    [disk] = farm.rack.disks
    files = [partial_path(plot_path(disk, 7)), plot_path(disk, 8), plot_path(disk, 9)]
    for file in files:
        file.write_bytes(b"not whole yet")
    take_in(farm.inventory, farm.identity.keys, farm.rack.disks, making={7: 0, 8: 0})
    assert [file.exists() for file in files] == [True, True, False]


async def test_a_disk_on_which_plots_failed_gets_some_once_it_is_added_again(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_given: object) -> None:
        raise StorageError("a cable was loose")

    (tmp_path / "d").mkdir()
    monkeypatch.setattr(plotter_module, "make_plot_file", fail)
    settings = settings_of(world, tmp_path, tmp_path / "d", wish=Wish(plots=1))
    async with serving(world, settings) as miner:
        while not miner.node.plotter.idle():
            await asyncio.sleep(0.01)
        monkeypatch.setattr(plotter_module, "make_plot_file", make_plot_file)
        assert miner.node.basis.inventory.rows() == []
        async with miner.owner() as owner:
            body = msgspec.json.encode(DiskBody(str(tmp_path / "d")))
            url, kind = f"{miner.url}/v1/disks", "application/json"
            await owner.request("POST", url, body=body, content_type=kind)
        miner.node.plotter.changed.set()
        while not miner.node.basis.inventory.rows():
            await asyncio.sleep(0.01)


async def test_a_disk_that_came_back_and_cannot_be_taken_in_is_no_secret(
    world: World, tmp_path: Path
) -> None:
    disk = tmp_path / "d"
    disk.mkdir()
    async with serving(world, settings_of(world, tmp_path, disk)) as miner:
        disk.rename(tmp_path / "pulled")
        miner.node.upkeep.look()
        (tmp_path / "pulled").rename(disk)

        def refuse(_disks: list[Disk]) -> None:
            raise StorageError("the journal is full")

        miner.node.upkeep.take_in = refuse
        with pytest.raises(StorageError, match="journal is full"):
            miner.node.upkeep.look()
