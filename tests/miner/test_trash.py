"""Trash costs nobody anything: each disk empties its own, at once where space is short."""

import asyncio
import os
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from blake3 import blake3
from cybervein_miner.disk.aside import Aside
from cybervein_miner.disk.disk import Disk
from cybervein_miner.plot.inventory import PlotState
from cybervein_miner.plot.policy import Wish
from cybervein_miner.shard import trash as module
from cybervein_miner.shard.index import HeldShard, ShardState, put_shard
from cybervein_miner.shard.layout import shard_path, trash_path
from cybervein_miner.shard.stuck import TrashSum
from cybervein_miner.shard.trash import Trash
from cybervein_protocol.names import MIB
from miner_world import Mount, Running, World, serving, settings_of, shard_bytes
from plot_farm import Farm

pytestmark = pytest.mark.usefixtures("by_hand")

DAY = 24 * 3600


def throw_away(farm: Farm, disk: Disk, *sizes: int, at: int = 100) -> list[Path]:
    """Shards that were deleted at that time; their files."""
    files = []
    for seed, size in enumerate(sizes):
        root = blake3(f"{disk.id} {seed}".encode()).digest()
        row = HeldShard(root, disk.id, size, ShardState.TRASH, at + seed)
        farm.journal.write_now(partial(put_shard, row=row))
        files.append(trash_path(disk, root))
        files[-1].write_bytes(os.urandom(size))
    return files


def new_farm(tmp_path: Path, *disks: Path) -> tuple[Farm, Trash]:
    for disk in disks:
        disk.mkdir(exist_ok=True)
    farm = Farm(tmp_path, *disks, wish=Wish(plots=0))
    return farm, Trash(farm.rack, farm.journal, DAY, lambda: 200 + DAY)


def test_the_trash_of_an_absent_disk_keeps_no_other_from_being_emptied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PURGE_MAX", 5)
    farm, trash = new_farm(tmp_path, tmp_path / "a", tmp_path / "b")
    away, here = farm.rack.disks
    throw_away(farm, away, *[10] * 7, at=100)
    files = throw_away(farm, here, 10, 10, at=150)
    away.path.rename(tmp_path / "pulled")
    farm.rack.look()
    assert trash.purge() == 2
    assert not any(file.exists() for file in files)
    (tmp_path / "pulled").rename(away.path)
    farm.rack.look()
    assert trash.purge() + trash.purge() == 7


def test_trash_of_a_disk_that_was_given_up_is_forgotten(tmp_path: Path) -> None:
    farm, trash = new_farm(tmp_path, tmp_path / "a")
    [disk] = farm.rack.disks
    [file] = throw_away(farm, disk, 10)
    farm.rack.forget(disk)
    assert trash.purge() == 1
    assert file.exists(), "its files are left alone"


def test_one_file_that_cannot_be_removed_holds_up_no_other_and_no_disk(tmp_path: Path) -> None:
    farm, trash = new_farm(tmp_path, tmp_path / "a")
    [disk] = farm.rack.disks
    stuck, other = throw_away(farm, disk, 10, 10)
    stuck.unlink()
    stuck.mkdir()
    assert [trash.purge() for _ in range(10)] == [1] + [0] * 9
    assert not other.exists()
    assert disk.placeable


def test_any_number_of_files_that_cannot_be_removed_hides_nothing_and_is_told_in_sum(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PURGE_MAX", 5)
    monkeypatch.setattr(module, "_PAGE", 3)
    farm, trash = new_farm(tmp_path, tmp_path / "a")
    [disk] = farm.rack.disks
    files = throw_away(farm, disk, *[1000] * 7, 10, 10)
    for file in files[:7]:
        file.unlink()
        file.mkdir()
    assert [trash.purge() for _ in range(3)] == [0, 2, 0]
    assert not any(file.exists() for file in files[7:])
    assert trash.stuck.on(disk.id) == TrashSum(7, 7000)
    assert trash.removable_bytes(disk.id) == 0, "what cannot be removed is nobody's free space"
    for file in files[:7]:
        file.rmdir()
    trash.stuck._aside = Aside()
    assert trash.purge() + trash.purge() == 7
    assert trash.stuck.on(disk.id) == TrashSum(0, 0)


def test_what_could_not_be_removed_and_is_sent_again_is_stuck_no_more(tmp_path: Path) -> None:
    farm, trash = new_farm(tmp_path, tmp_path / "a")
    [disk] = farm.rack.disks
    [file] = throw_away(farm, disk, 10)
    file.unlink()
    file.mkdir()
    assert trash.purge() == 0
    assert trash.stuck.on(disk.id).shards == 1
    row = HeldShard(bytes.fromhex(file.name), disk.id, 10, ShardState.HELD, 200)
    other = HeldShard(bytes(32), disk.id, 10, ShardState.TRASH, 100)
    farm.journal.write_now(partial(put_shard, row=row))
    farm.journal.write_now(partial(put_shard, row=other))
    assert trash.purge() == 1
    assert trash.stuck.on(disk.id).shards == 0


def test_only_as_much_goes_early_as_space_is_short_oldest_first(tmp_path: Path) -> None:
    farm, trash = new_farm(tmp_path, tmp_path / "a")
    [disk] = farm.rack.disks
    old, older_than_last, last = throw_away(farm, disk, MIB, MIB, MIB, at=190 + DAY)
    trash.relieve({disk.id: 0})
    assert trash.purge() == 0
    assert old.exists()
    trash.relieve({disk.id: MIB + 1})
    assert [file.exists() for file in (old, older_than_last, last)] == [False, False, True]


def test_what_is_sent_again_is_not_thrown_away(tmp_path: Path) -> None:
    farm, _ = new_farm(tmp_path, tmp_path / "a")
    [disk] = farm.rack.disks
    [file] = throw_away(farm, disk, 10)
    trash = Trash(farm.rack, farm.journal, DAY, lambda: 200 + DAY, lambda _root: True)
    assert trash.purge() == 0
    assert file.exists()


async def deleted(miner: Running, data: bytes) -> None:
    root = blake3(data).digest()
    order = miner.world.order(miner.key, "DELETE", root)
    assert (await miner.call("DELETE", f"/v1/shards/{root.hex()}", order=order))[0] == 204


async def test_put_and_rm_in_turn_never_refuse_an_upload(
    world: World, tmp_path: Path, mount: Mount
) -> None:
    """Eight mebibytes of disk, forty of shards, one kept at a time."""
    disk = mount("8m")
    async with serving(world, settings_of(world, tmp_path, disk)) as miner:
        for seed in range(20):
            data = shard_bytes(2 * MIB, seed)
            assert (await miner.put(data))[0] == 201
            await deleted(miner, data)
        status = miner.node.board.document()
        [each] = status.disks
        assert each.trash_bytes >= 2 * MIB
        assert status.free_bytes > 7 * MIB, "what trash takes is told as free"
        assert each.shards == 0


async def test_trash_that_cannot_be_removed_is_shown_and_is_not_free(miner: Running) -> None:
    data = shard_bytes(2 * MIB)
    assert (await miner.put(data))[0] == 201
    await deleted(miner, data)
    [disk] = miner.node.basis.rack.disks
    file = trash_path(disk, blake3(data).digest())
    file.unlink()
    file.mkdir()
    miner.node.trash.relieve({disk.id: 1})
    status = miner.node.board.document()
    [each] = status.disks
    assert (each.trash, each.trash_stuck, each.trash_stuck_bytes) == (1, 1, 2 * MIB)
    assert miner.node.trash.removable_bytes(disk.id) == 0
    assert any("1 deleted shards (2097152 bytes) cannot be removed" in e for e in status.degraded)


async def test_trash_goes_before_plots_do(tmp_path: Path, mount: Mount) -> None:
    disk = mount("20m")
    farm = Farm(tmp_path, disk, wish=Wish(fill_per_mille=500))
    await farm.fill()
    farm.activate()
    [here] = farm.rack.disks
    plots = len(farm.inventory.rows())
    throw_away(farm, here, *[MIB // 4] * ((here.available() - 1000) // (MIB // 4)), at=190 + DAY)
    (disk / "films").write_bytes(bytes(here.available() - 1000))
    trash = Trash(farm.rack, farm.journal, DAY, lambda: 200 + DAY)
    assert farm.plotter.short()[here.id] > 0
    trash.relieve(farm.plotter.short())
    assert farm.plotter.give_way() == []
    assert len(farm.inventory.rows(PlotState.ACTIVE)) == plots


def test_what_is_sent_again_while_trash_is_emptied_is_not_thrown_away(tmp_path: Path) -> None:
    farm, _ = new_farm(tmp_path, tmp_path / "a")
    [disk] = farm.rack.disks
    throw_away(farm, disk, 10, 10)
    data = shard_bytes(5000)
    root = blake3(data).digest()
    row = HeldShard(root, disk.id, len(data), ShardState.TRASH, 150)
    farm.journal.write_now(partial(put_shard, row=row))
    path = shard_path(disk, root)

    def arriving(_root: bytes) -> bool:
        """The last one is sent and acknowledged while the first is removed."""
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(data)
            farm.journal.write_now(partial(put_shard, row=replace(row, state=ShardState.HELD)))
        return False

    trash = Trash(farm.rack, farm.journal, DAY, lambda: 200 + DAY, arriving)
    assert trash.purge() == 2
    assert path.read_bytes() == data


async def test_trash_of_an_earlier_run_stays_until_the_ledger_was_heard(
    world: World, tmp_path: Path, mount: Mount
) -> None:
    """The journal may be an old one: what it calls trash may have been stored again since."""
    disk = mount("8m")
    settings = settings_of(world, tmp_path, disk)
    data = shard_bytes(MIB)
    async with serving(world, settings) as miner:
        assert (await miner.put(data))[0] == 201
        await deleted(miner, data)
    async with serving(world, settings) as miner:
        [here] = miner.node.basis.rack.disks
        file = trash_path(here, blake3(data).digest())
        (disk / "films").write_bytes(bytes(here.available() - 1000))
        await miner.node.upkeep._round(ask=False)
        assert (await miner.put(shard_bytes(MIB // 2, seed=1)))[0] == 507
        assert file.exists()
        miner.node.ledger.heard = True
        assert (await miner.put(shard_bytes(MIB // 2, seed=1)))[0] == 201
        assert not file.exists()


async def test_what_is_being_thrown_away_is_not_taken_in_until_it_is_gone(
    world: World, tmp_path: Path
) -> None:
    """A slow disk may let a delete through long after it was decided: the names are the same."""
    async with serving(world, settings_of(world, tmp_path, tmp_path / "disk")) as miner:
        data, store = shard_bytes(5000), miner.node.basis.store
        with store.clearing(blake3(data).digest()):
            with store.clearing(blake3(data).digest()):
                pass
            status, body = await miner.put(data)
            assert (status, b"is being thrown away just now" in body) == (409, True)
            assert (await miner.put(shard_bytes(5000, seed=1)))[0] == 201
        assert (await miner.put(data))[0] == 201


async def test_trash_is_emptied_and_filled_while_its_roots_are_kept_from_uploads(
    world: World, tmp_path: Path
) -> None:
    async with serving(world, settings_of(world, tmp_path, tmp_path / "disk")) as miner:
        data, store, trash = shard_bytes(5000), miner.node.basis.store, miner.node.upkeep.trash
        held: list[bytes] = []

        def looked(root: bytes) -> bool:
            held.extend(store._clearing)
            return root in set(store._arriving)

        trash._arriving = store.arriving = looked
        assert (await miner.put(data))[0] == 201
        await deleted(miner, data)
        await asyncio.to_thread(trash.relieve, {miner.node.basis.rack.disks[0].id: 1})
        assert held == [blake3(data).digest()] * 2
        assert not store._clearing
        assert store.index.find(blake3(data).digest()) is None
