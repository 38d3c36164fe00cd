"""A disk that leaves: its shards go to other disks, none is lost on the way, then it is wiped."""

import asyncio
import json
import shutil
from pathlib import Path

import pytest
from blake3 import blake3
from cybervein_miner.disk.disk import Disk
from cybervein_miner.plot.policy import Wish
from cybervein_miner.shard.index import ShardState
from cybervein_miner.shard.layout import shard_path
from cybervein_protocol.api.disk_state import DiskState
from cybervein_protocol.api.miner.disks import RemainingWork
from cybervein_protocol.errors import ConflictError, CyberVeinError, ForbiddenError
from miner_world import Mount, Running, World, serving, settings_of, shard_bytes

SIZE = 100_000


def disk_at(miner: Running, path: Path) -> Disk:
    return next(disk for disk in miner.node.basis.rack.disks if disk.path == path)


async def fill(miner: Running, count: int) -> list[bytes]:
    shards = [shard_bytes(SIZE, seed) for seed in range(count)]
    for data in shards:
        assert (await miner.put(data))[0] == 201
    return shards


async def remove(miner: Running, disk: Disk) -> dict[str, object]:
    answer = await miner.owner().request("DELETE", f"{miner.url}/v1/disks/{disk.id}")
    document: dict[str, object] = answer.json()
    return document


async def until_drained(disk: Disk) -> None:
    async with asyncio.timeout(300):
        while disk.state is not DiskState.DRAINED:
            await asyncio.sleep(0.02)


def on(miner: Running, disk: Disk) -> set[bytes]:
    return {row.root for row in miner.node.basis.store.index.on_disk(disk.id, 1000)}


async def test_shards_move_to_the_other_disk_and_are_served_at_every_moment(
    world: World, tmp_path: Path, mount: Mount
) -> None:
    old, new = mount("16m", "old"), mount("32m", "new")
    async with serving(world, settings_of(world, tmp_path, old)) as miner:
        shards = await fill(miner, 40)
        await asyncio.to_thread(miner.node.basis.rack.add, new)
        answer = await remove(miner, disk_at(miner, old))
        assert (answer["leaving"], answer["remaining"]["shards"]) == (True, 40)  # type: ignore[index]
        reads = 0
        while disk_at(miner, old).state is not DiskState.DRAINED:
            for data in shards[reads % 7 :: 7]:
                root = blake3(data).digest()
                assert await miner.get(root) == (200, data)
                assert (await miner.get(root, "?offset=5&length=70000"))[0] == 200
            reads += 1
        roots = {blake3(data).digest() for data in shards}
        assert on(miner, disk_at(miner, new)) == roots
        assert on(miner, disk_at(miner, old)) == set()
        assert not list((old / "cybervein" / "shards").rglob("*.obao"))
        assert [p for p in (old / "cybervein" / "shards").rglob("*") if p.is_file()] == []
        for data in shards:
            assert await miner.get(blake3(data).digest()) == (200, data)
        assert miner.node.basis.store.index.totals().lost == 0
        [document] = [d for d in miner.node.board.document().disks if d.path == str(old)]
        assert document.remaining == RemainingWork(plots=0, shards=0, bytes=0)


async def test_what_finds_no_room_stays_and_is_served_until_there_is_some(
    world: World, tmp_path: Path, mount: Mount
) -> None:
    old, small, large = mount("16m", "old"), mount("1m", "small"), mount("16m", "large")
    async with serving(world, settings_of(world, tmp_path, old)) as miner:
        shards = await fill(miner, 20)
        await asyncio.to_thread(miner.node.basis.rack.add, small)
        leaving = disk_at(miner, old)
        await remove(miner, leaving)
        async with asyncio.timeout(300):
            while disk_at(miner, small).available() > SIZE:
                await asyncio.sleep(0.02)
        assert leaving.state is DiskState.READY
        assert 0 < miner.node.leaving.remaining(leaving).shards < 20
        for data in shards:
            assert await miner.get(blake3(data).digest()) == (200, data)
        await asyncio.to_thread(miner.node.basis.rack.add, large)
        await until_drained(leaving)
        for data in shards:
            assert await miner.get(blake3(data).digest()) == (200, data)


async def test_a_rotten_shard_is_set_aside_and_does_not_travel(
    world: World, tmp_path: Path
) -> None:
    async with serving(world, settings_of(world, tmp_path, tmp_path / "a")) as miner:
        good, rotten = await fill(miner, 2)
        old = disk_at(miner, tmp_path / "a")
        with shard_path(old, blake3(rotten).digest()).open("r+b") as file:
            file.write(b"rot")
        (tmp_path / "b").mkdir()
        await asyncio.to_thread(miner.node.basis.rack.add, tmp_path / "b")
        await remove(miner, old)
        await until_drained(old)
        row = miner.node.basis.store.index.find(blake3(rotten).digest())
        assert row is not None
        assert (row.state, row.disk) == (ShardState.BAD, old.id)
        assert await miner.get(blake3(good).digest()) == (200, good)


@pytest.mark.parametrize("switched", [False, True])
async def test_a_move_cut_short_leaves_one_whole_copy(
    world: World,
    tmp_path: Path,
    switched: bool,  # noqa: FBT001 -- a case
) -> None:
    settings = settings_of(world, tmp_path, tmp_path / "a")
    async with serving(world, settings) as miner:
        [data] = await fill(miner, 1)
        (tmp_path / "b").mkdir()
        await asyncio.to_thread(miner.node.basis.rack.add, tmp_path / "b")
        root = blake3(data).digest()
        a, b = disk_at(miner, tmp_path / "a"), disk_at(miner, tmp_path / "b")
        target = shard_path(b, root)
        target.parent.mkdir(exist_ok=True)
        for file in shard_path(a, root).parent.iterdir():
            shutil.copy(file, target.parent)
        if switched:
            row = miner.node.basis.store.reader.held(root)
            assert miner.node.leaving.vacater._switch(row, b)
    async with serving(world, settings) as miner:
        copies = [p for p in tmp_path.rglob(root.hex()) if p.parent.parent.name == "shards"]
        assert [p.is_relative_to(tmp_path / "b") for p in copies] == [switched]
        assert await miner.get(root) == (200, data)


async def test_an_upload_of_a_shard_on_a_leaving_disk_goes_to_one_that_stays(
    world: World, tmp_path: Path, mount: Mount
) -> None:
    old, new = mount("16m", "old"), mount("16m", "new")
    async with serving(world, settings_of(world, tmp_path, old)) as miner:
        [data] = await fill(miner, 1)
        miner.node.basis.rack.leave(disk_at(miner, old))
        await asyncio.to_thread(miner.node.basis.rack.add, new)
        assert (await miner.put(data))[0] == 201
        assert (
            miner.node.basis.store.reader.held(blake3(data).digest()).disk == disk_at(miner, new).id
        )
        assert await miner.get(blake3(data).digest()) == (200, data)


async def test_only_a_drained_disk_is_wiped_with_its_own_id_and_only_of_our_files(
    world: World, tmp_path: Path
) -> None:
    settings = settings_of(world, tmp_path, tmp_path / "a", tmp_path / "b", wish=Wish(plots=2))
    async with serving(world, settings) as miner:
        await fill(miner, 4)
        owner = miner.owner()
        disk, other = disk_at(miner, tmp_path / "a"), disk_at(miner, tmp_path / "b")
        (tmp_path / "a" / "holiday.jpg").write_bytes(b"mine")

        async def wipe(confirm: str, which: Disk = disk) -> dict[str, object]:
            body = json.dumps({"v": 1, "confirm": confirm}).encode()
            url = f"{miner.url}/v1/disks/{which.id}/wipe"
            document: dict[str, object] = (await owner.request("POST", url, body=body)).json()
            return document

        with pytest.raises(ConflictError, match="only a drained disk is wiped"):
            await wipe(disk.id)
        await remove(miner, disk)
        await until_drained(disk)
        for wrong in ("", other.id, disk.id[:-1]):
            with pytest.raises(ConflictError, match=f"confirm with its id {disk.id}"):
                await wipe(wrong)
        with pytest.raises(ConflictError, match="only a drained disk"):
            await wipe(other.id, other)
        (tmp_path / "a" / "cybervein").rename(tmp_path / "away")
        shutil.copytree(tmp_path / "b" / "cybervein", tmp_path / "a" / "cybervein")
        with pytest.raises(ForbiddenError, match="holds disk"):
            await wipe(disk.id)
        (tmp_path / "a" / "cybervein").rename(tmp_path / "copied")
        (tmp_path / "away").rename(tmp_path / "a" / "cybervein")
        answer = await wipe(disk.id)
        assert (answer["id"], answer["path"]) == (disk.id, str(tmp_path / "a"))
        assert [p.name for p in (tmp_path / "a").iterdir()] == ["holiday.jpg"]
        assert [d["id"] for d in await owner.get_json(f"{miner.url}/v1/disks")] == [other.id]
        with pytest.raises(CyberVeinError, match="not a disk of this miner"):
            await wipe(disk.id)
    async with serving(world, settings) as miner:
        assert {d.state for d in miner.node.basis.rack.disks} == {DiskState.READY}, "claimed as new"
        assert disk_at(miner, tmp_path / "a").id != disk.id


async def test_a_drained_disk_stays_drained_over_a_restart_and_can_be_taken_back(
    world: World, tmp_path: Path
) -> None:
    settings = settings_of(world, tmp_path, tmp_path / "a", tmp_path / "b", wish=Wish(plots=4))
    async with serving(world, settings) as miner:
        async with asyncio.timeout(300):
            while len(miner.node.basis.inventory.rows()) < 4:
                await asyncio.sleep(0.05)
        disk = disk_at(miner, tmp_path / "a")
        files = {p.name for p in disk.folder("plots").glob("*.plot")}
        assert files
        await remove(miner, disk)
        await until_drained(disk)
    async with serving(world, settings) as miner:
        disk = disk_at(miner, tmp_path / "a")
        assert (disk.state, disk.placeable) == (DiskState.DRAINED, False)
        assert files <= {p.name for p in disk.folder("plots").glob("*.plot")}
        body = json.dumps({"path": str(tmp_path / "a")}).encode()
        back = (await miner.owner().request("POST", f"{miner.url}/v1/disks", body=body)).json()
        assert (back["state"], back["leaving"], back["plots"]) == ("ready", False, len(files))


async def test_a_new_disk_takes_the_place_of_a_drained_one_that_was_pulled(
    world: World, tmp_path: Path
) -> None:
    settings = settings_of(world, tmp_path, tmp_path / "a", tmp_path / "b")
    async with serving(world, settings) as miner:
        old = disk_at(miner, tmp_path / "a")
        await remove(miner, old)
        await until_drained(old)
        (tmp_path / "a").rename(tmp_path / "pulled")
        body = json.dumps({"path": str(tmp_path / "a")}).encode()
        with pytest.raises(CyberVeinError, match="is not a directory"):
            await miner.owner().request("POST", f"{miner.url}/v1/disks", body=body)
        assert miner.node.basis.rack.get(old.id).drained, (
            "nothing is forgotten before there is another"
        )
        (tmp_path / "a").mkdir()
        new = (await miner.owner().request("POST", f"{miner.url}/v1/disks", body=body)).json()
        assert (new["state"], new["leaving"]) == ("ready", False)
        assert new["id"] != old.id
        assert {d.path for d in miner.node.basis.rack.disks} == {tmp_path / "a", tmp_path / "b"}
    async with serving(world, settings) as miner:
        assert disk_at(miner, tmp_path / "a").id == new["id"]
        assert len(miner.node.basis.rack.disks) == 2


async def test_a_draining_miner_takes_nothing_serves_everything_and_remembers(
    world: World, tmp_path: Path
) -> None:
    settings = settings_of(world, tmp_path, tmp_path / "disk")
    async with serving(world, settings) as miner:
        [data] = await fill(miner, 1)
        body = b'{"v":1,"draining":true}'
        await miner.owner().request("POST", f"{miner.url}/v1/drain", body=body)
        status, answer = await miner.put(shard_bytes(1000, 9))
        assert (status, "is draining and accepts nothing new" in answer.decode()) == (507, True)
    async with serving(world, settings) as miner:
        document = miner.node.board.document()
        assert (document.draining, document.drained) == (True, False)
        assert document.drain.final is False, "the ledger was not heard yet"
        assert document.free_bytes == 0
        assert await miner.get(blake3(data).digest()) == (200, data)
        cancel = b'{"v":1,"draining":false}'
        await miner.owner().request("POST", f"{miner.url}/v1/drain", body=cancel)
        assert (await miner.put(shard_bytes(1000, 9)))[0] == 201
