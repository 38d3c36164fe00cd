"""Space is counted once: two directories of one filesystem share what it has, none nests."""

import asyncio
import os
import subprocess
from pathlib import Path

import pytest
from cybervein_miner.disk.rack import Rack
from cybervein_miner.disk.space import space_of
from cybervein_miner.record.journal import Journal
from cybervein_protocol.errors import ConflictError, StorageError
from cybervein_protocol.signing import KeyPair
from miner_world import Mount, World, serving, settings_of

KEY = KeyPair(b"\x01" * 32)
MIB = 1 << 20


def rack(folder: Path, floor: int = 0) -> Rack:
    return Rack(KEY, Journal(folder / "miner.sqlite"), floor=floor)


def folders(place: Path, *names: str) -> list[Path]:
    for name in names:
        (place / name).mkdir(parents=True)
    return [place / name for name in names]


def test_two_directories_of_one_filesystem_have_its_space_once(
    tmp_path: Path, mount: Mount
) -> None:
    place = mount("8m")
    mine = rack(tmp_path, floor=MIB)
    mine.open(folders(place, "a", "b"))
    whole = space_of(place, MIB)
    one, other = mine.disks
    spaces = [disk.space() for disk in mine.disks]
    assert sum(space.capacity for space in spaces) == whole.capacity
    assert abs(sum(disk.available() for disk in mine.disks) - (whole.free - MIB)) < 2
    promised = one.reserve(4 * MIB, one.folder("tmp") / "a shard")
    assert abs(other.available() * 2 - (whole.free - 5 * MIB)) < 4
    with pytest.raises(StorageError, match="do not fit"):
        other.reserve(4 * MIB, other.folder("tmp") / "another")
    other.release(other.reserve(2 * MIB, other.folder("tmp") / "one that fits"))
    one.release(promised)
    mine.leave(other)
    assert one.available() == whole.free - MIB, "a disk that takes nothing has no part"


@pytest.mark.parametrize("order", [("in", "out"), ("out", "in")], ids=["around", "inside"])
def test_a_directory_within_a_disk_is_refused(tmp_path: Path, order: tuple[str, str]) -> None:
    (tmp_path / "disk" / "within").mkdir(parents=True)
    paths = {"out": tmp_path / "disk", "in": tmp_path / "disk" / "within"}
    mine = rack(tmp_path)
    mine.open([paths[order[0]]])
    with pytest.raises(ConflictError, match="would be counted twice"):
        mine.add(paths[order[1]])
    assert len(mine.disks) == 1
    [refused] = rack(tmp_path).open(list(paths.values()))
    assert str(paths[order[1]]) in refused


def test_a_filesystem_mounted_within_a_disk_is_a_disk_of_its_own(
    tmp_path: Path, mount: Mount
) -> None:
    mine = rack(tmp_path)
    (tmp_path / "mnt").mkdir()
    mine.open([tmp_path / "mnt"])
    inner = mount("4m", "mnt/inner")
    assert mine.add(inner).space().capacity == space_of(inner, 0).capacity


def test_blocks_reserved_for_root_are_nobodys(tmp_path: Path, mount: Mount) -> None:
    path = mount("32m", "ext", ext4=True)
    before = space_of(path, 0)
    for line in (["umount", path], ["tune2fs", "-m", "25", tmp_path / "ext.img"]):
        subprocess.run(list(map(str, line)), check=True, capture_output=True)
    path = mount("32m", "ext", ext4=True)
    after, stat = space_of(path, 0), os.statvfs(path)
    assert before.capacity - after.capacity == before.free - after.free > 7 * MIB
    assert after.free == stat.f_bavail * stat.f_frsize


async def test_the_list_says_what_shares_a_filesystem(
    world: World, tmp_path: Path, mount: Mount
) -> None:
    first, second = folders(mount("16m"), "first", "second")
    async with serving(world, settings_of(world, tmp_path, first)) as miner:
        alone = miner.node.board.document().free_bytes
        body = f'{{"path": "{second}"}}'.encode()
        owner = miner.owner()
        added = (await owner.request("POST", f"{miner.url}/v1/disks", body=body)).json()
        assert added["reason"].startswith(f"shares its filesystem with {first}")
        both = (await asyncio.to_thread(miner.node.board.document)).free_bytes
        assert abs(both - alone) < MIB, "no byte was gained by naming a filesystem twice"
