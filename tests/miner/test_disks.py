"""Missing, foreign, copied, full, read-only or failing disks: one suffers, the others do not."""

import asyncio
import fcntl
import json
import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest
from blake3 import blake3
from cybervein_miner.disk.device import Device
from cybervein_miner.disk.marker import create_marker, marker_path, read_marker
from cybervein_miner.disk.rack import Rack
from cybervein_miner.record.journal import Journal
from cybervein_protocol.api.disk_state import DiskState
from cybervein_protocol.encoding import decode, encode
from cybervein_protocol.errors import CyberVeinError, ForbiddenError, StorageError
from cybervein_protocol.signing import KeyPair
from miner_world import Mount, Running, World, serving, settings_of, shard_bytes

KEY, OTHER = KeyPair(b"\x01" * 32), KeyPair(b"\x02" * 32)
_EXT4_SHUTDOWN = 0x8004587D


def rack(folder: Path, key: KeyPair = KEY) -> Rack:
    return Rack(key, Journal(folder / "miner.sqlite"), floor=0)


def disk_at(miner: Running, path: Path) -> object:
    return next(disk for disk in miner.node.basis.rack.disks if disk.path == path)


def tool(*command: str) -> None:
    """Run mount, umount and the like."""
    subprocess.run(command, check=True, capture_output=True)


def break_filesystem(path: Path) -> None:
    """Shut an ext4 filesystem down: from now on everything on it is an I/O error."""
    handle = os.open(path, os.O_RDONLY)
    fcntl.ioctl(handle, _EXT4_SHUTDOWN, (2).to_bytes(4, "little"))
    os.close(handle)


def test_a_new_disk_gets_a_marker_and_keeps_its_identity(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    first = rack(tmp_path / "a")
    first.open([tmp_path / "d"])
    again = rack(tmp_path / "a")
    again.open([])
    assert [disk.id for disk in again.disks] == [disk.id for disk in first.disks]
    assert again.disks[0].state is DiskState.READY


def test_a_missing_mount_is_refused_and_named_and_the_rest_goes_on(
    tmp_path: Path, mount: Mount
) -> None:
    good, away = mount("4m", "good"), mount("4m", "away")
    rack(tmp_path / "m").open([good, away])
    tool("umount", str(away))
    again = rack(tmp_path / "m")
    refused = again.open([good, away])
    assert len(refused) == 1
    assert str(away) in refused[0]
    assert {disk.path: disk.state for disk in again.disks} == {
        good: DiskState.READY, away: DiskState.MISSING,
    }  # fmt: skip
    assert again.choose(1000).path == good
    assert list(away.iterdir()) == [], "nothing was written under the mount point"


def test_another_miners_disk_is_refused(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    rack(tmp_path / "a", OTHER).open([tmp_path / "d"])
    mine = rack(tmp_path / "b")
    with pytest.raises(ForbiddenError, match="belongs to miner"):
        mine.add(tmp_path / "d")
    assert mine.disks == []


def test_a_disk_of_another_id_under_a_known_path_is_foreign(tmp_path: Path) -> None:
    for name in ("d", "e"):
        (tmp_path / name).mkdir()
    mine = rack(tmp_path / "a")
    mine.open([tmp_path / "d", tmp_path / "e"])
    shutil.copy(marker_path(tmp_path / "e"), marker_path(tmp_path / "d"))
    again = rack(tmp_path / "a")
    again.open([])
    states = {disk.path.name: disk.state for disk in again.disks}
    assert states == {"d": DiskState.FOREIGN, "e": DiskState.READY}


def test_one_disk_under_two_paths_is_used_once(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    mine = rack(tmp_path / "a")
    mine.open([tmp_path / "d"])
    shutil.copytree(tmp_path / "d", tmp_path / "copy")
    with pytest.raises(CyberVeinError, match="already in use"):
        mine.add(tmp_path / "copy")


def test_a_known_disk_may_move_to_another_path(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    mine = rack(tmp_path / "a")
    mine.open([tmp_path / "d"])
    (tmp_path / "d").rename(tmp_path / "moved")
    again = rack(tmp_path / "a")
    again.open([tmp_path / "moved"])
    assert [(disk.id, disk.path) for disk in again.disks] == [
        (mine.disks[0].id, tmp_path / "moved")
    ]
    assert again.disks[0].state is DiskState.READY


@pytest.mark.parametrize("size", [0, 1, 40, 10_000])
def test_a_damaged_marker_takes_the_disk_out(tmp_path: Path, size: int) -> None:
    (tmp_path / "d").mkdir()
    rack(tmp_path / "a").open([tmp_path / "d"])
    file = marker_path(tmp_path / "d")
    file.write_bytes(file.read_bytes()[:size] if size < 10_000 else bytes(size))
    again = rack(tmp_path / "a")
    [refused] = again.open([tmp_path / "d"])
    assert refused.startswith(f"disk {tmp_path / 'd'}: quarantined")
    with pytest.raises(StorageError, match="no disk takes"):
        again.choose(1)


def test_a_marker_from_another_filesystem_is_a_copy(mount: Mount) -> None:
    first = mount("16m", "first", ext4=True)
    marker = create_marker(first, KEY, 1)
    from cybervein_miner.disk.marker import CONTEXT, Marker  # noqa: PLC0415
    from cybervein_protocol.signing import sign_record  # noqa: PLC0415
    from msgspec.structs import replace  # noqa: PLC0415

    named = sign_record(CONTEXT, replace(marker, filesystem="uuid-of-first"), KEY)
    assert decode(encode(named), Marker, "marker", 4096) == named
    here = Device("uuid-of-second", "")
    assert Device(named.filesystem, named.serial).contradicts(here)
    assert not Device("", "").contradicts(here)
    assert not Device("same", "old enclosure").contradicts(Device("same", "new enclosure"))
    assert Device("", "serial-1").contradicts(Device("", "serial-2"))
    assert read_marker(first, KEY.public) == marker


def test_the_floor_and_reservations_count_as_used(tmp_path: Path, mount: Mount) -> None:
    path = mount("8m")
    mine = Rack(KEY, Journal(tmp_path / "m.sqlite"), floor=2 << 20)
    mine.open([path])
    [disk] = mine.disks
    whole = disk.available()
    assert whole <= 6 << 20
    file = disk.folder("tmp") / "plot"
    promised = disk.reserve(3 << 20, file)
    assert disk.available() == whole - (3 << 20)
    file.write_bytes(bytes(2 << 20))
    assert abs(disk.available() - (whole - (3 << 20))) < 1 << 16, "written bytes count once"
    with pytest.raises(StorageError, match="do not fit"):
        disk.reserve(4 << 20, disk.folder("tmp") / "other")
    disk.release(promised)
    disk.release(promised)
    file.unlink()
    assert disk.available() == whole


async def test_a_read_only_disk_serves_and_takes_nothing(
    world: World, tmp_path: Path, mount: Mount
) -> None:
    path = mount("8m", "ro")
    async with serving(world, settings_of(world, tmp_path, path)) as miner:
        data = shard_bytes(100_000)
        assert (await miner.put(data))[0] == 201
        tool("mount", "-o", "remount,ro", str(path))
        status, body = await miner.put(shard_bytes(1000, 1))
        assert status == 507
        assert str(path) in json.loads(body)["message"]
        assert disk_at(miner, path).state is DiskState.READ_ONLY
        assert await miner.get(blake3(data).digest()) == (200, data)
        tool("mount", "-o", "remount,rw", str(path))
        miner.node.basis.rack.look()
        assert (await miner.put(shard_bytes(1000, 1)))[0] == 201


async def test_a_start_on_a_read_only_disk_serves_what_is_there(
    world: World, tmp_path: Path, mount: Mount
) -> None:
    path = mount("8m", "ro")
    data = shard_bytes(100_000)
    async with serving(world, settings_of(world, tmp_path, path)) as miner:
        assert (await miner.put(data))[0] == 201
    tool("mount", "-o", "remount,ro", str(path))
    async with serving(world, settings_of(world, tmp_path, path)) as miner:
        assert await miner.get(blake3(data).digest()) == (200, data)
        assert (await miner.put(shard_bytes(10, 1)))[0] == 507


async def test_a_failing_disk_is_quarantined_and_the_other_goes_on(
    world: World, tmp_path: Path, mount: Mount
) -> None:
    good, bad = mount("8m", "good"), mount("32m", "bad", ext4=True)
    async with serving(world, settings_of(world, tmp_path, good, bad)) as miner:
        shards = [shard_bytes(200_000, seed) for seed in range(8)]
        for data in shards:
            assert (await miner.put(data))[0] == 201
        break_filesystem(bad)
        for seed in range(20, 30):
            await miner.put(shard_bytes(300_000, seed))
        assert disk_at(miner, bad).state is DiskState.QUARANTINED
        assert disk_at(miner, good).state is DiskState.READY
        status = miner.node.board.document()
        assert [d.state for d in status.disks if d.path == str(bad)] == ["quarantined"]
        data = shard_bytes(400_000, 99)
        assert (await miner.put(data))[0] == 201
        assert await miner.get(blake3(data).digest()) == (200, data)


async def test_a_pulled_disk_declines_audits_instead_of_admitting_loss(
    world: World, tmp_path: Path, mount: Mount
) -> None:
    from cybervein_protocol.messages import AuditRequest  # noqa: PLC0415
    from cybervein_protocol.messages.audits import AuditItem  # noqa: PLC0415
    from cybervein_runtime.http_client import SignedClient  # noqa: PLC0415

    keep, pulled = mount("4m", "keep"), mount("8m", "pulled")
    async with serving(world, settings_of(world, tmp_path, keep, pulled)) as miner:
        data = shard_bytes(100_000)
        root = blake3(data).digest()
        assert (await miner.put(data))[0] == 201
        assert miner.node.basis.store.reader.held(root).disk == disk_at(miner, pulled).id
        tool("umount", "-l", str(pulled))
        assert (await miner.get(root))[0] == 507, "no shard is lost because nobody looked yet"
        assert disk_at(miner, pulled).state is DiskState.MISSING
        request = AuditRequest(
            v=1, epoch=1, holding=bytes(32), items=[AuditItem(root=root, chunk=0)]
        )
        client = SignedClient(world.super_key, miner.http)
        with pytest.raises(CyberVeinError, match="audit again later"):
            await client.request("POST", f"{miner.url}/v1/audit", body=encode(request))
        assert miner.node.basis.store.index.totals().lost == 0


async def test_disks_are_added_and_removed_while_running(
    world: World, tmp_path: Path, mount: Mount
) -> None:
    first, second = mount("8m", "first"), mount("16m", "second")
    async with serving(world, settings_of(world, tmp_path, first)) as miner:
        owner = miner.owner()
        body = json.dumps({"path": str(second)}).encode()
        added = (await owner.request("POST", f"{miner.url}/v1/disks", body=body)).json()
        data = shard_bytes(500_000)
        root = blake3(data).digest()
        assert (await miner.put(data))[0] == 201
        assert miner.node.basis.store.reader.held(root).disk == added["id"]
        url = f"{miner.url}/v1/disks/{added['id']}"
        answer = (await owner.request("DELETE", url)).json()
        assert (answer["gone"], answer["leaving"]) == (False, True)
        assert await miner.get(root) == (200, data), "a leaving disk still serves"
        assert (await miner.put(shard_bytes(1000, 5)))[0] == 201
        assert (
            miner.node.basis.store.reader.held(blake3(shard_bytes(1000, 5)).digest()).disk
            != added["id"]
        )
        forced = (await owner.request("DELETE", f"{url}?force=true")).json()
        assert forced["gone"]
        assert [d["path"] for d in (await owner.get_json(f"{miner.url}/v1/disks"))] == [str(first)]
        assert marker_path(second).exists(), "its files stay"
        again = (await owner.request("POST", f"{miner.url}/v1/disks", body=body)).json()
        assert (again["id"], again["shards"]) == (added["id"], 1)
        assert await miner.get(root) == (200, data), "and are taken in again"


async def test_an_empty_leaving_disk_is_given_up_at_once(
    world: World, tmp_path: Path, mount: Mount
) -> None:
    first, second = mount("8m", "first"), mount("8m", "second")
    async with serving(world, settings_of(world, tmp_path, first, second)) as miner:
        disk = disk_at(miner, second)
        answer = await miner.owner().request("DELETE", f"{miner.url}/v1/disks/{disk.id}")
        assert (answer.json()["gone"], answer.json()["state"]) == (True, "drained")
        assert [d.path for d in miner.node.basis.rack.disks if d.placeable] == [first]
        assert miner.node.board.disks.bad() == []


async def test_only_the_owner_may_change_disks(miner: Running, tmp_path: Path) -> None:
    body = json.dumps({"path": str(tmp_path)}).encode()
    status, _ = await miner.call("POST", "/v1/disks", body)
    assert status in {401, 403}
    assert len(miner.node.basis.rack.disks) == 1


async def test_disk_bodies_have_limits(miner: Running) -> None:
    owner = miner.owner()
    for body in (b"{}", b"x", b'{"path":1}', b'{"path":"/x","extra":1}'):
        with pytest.raises(CyberVeinError, match="POST /v1/disks"):
            await owner.request("POST", f"{miner.url}/v1/disks", body=body)
    with pytest.raises(CyberVeinError, match="at most"):
        await owner.request("POST", f"{miner.url}/v1/disks", body=b" " * 100_000)


async def test_one_unreadable_file_is_set_aside_alone(
    world: World, tmp_path: Path, mount: Mount
) -> None:
    path = mount("48m", "worn", ext4=True)
    async with serving(world, settings_of(world, tmp_path, path)) as miner:
        good, worn = shard_bytes(100_000), random.Random(7).randbytes(20 << 20)
        for data in (good, worn):
            assert (await miner.put(data))[0] == 201
        await asyncio.to_thread(wear_out, path, tmp_path / "worn.img", good, worn)
        root = blake3(worn).digest()
        assert (await miner.get(root, f"?offset={16 << 20}&length=4096"))[0] == 507
        assert disk_at(miner, path).state is DiskState.READY
        assert (await miner.get(root))[0] == 404
        assert await miner.get(blake3(good).digest()) == (200, good)
        assert miner.node.basis.store.index.totals().bad == 1


def wear_out(path: Path, image: Path, good: bytes, worn: bytes) -> None:
    """Make the last blocks of `worn` unreadable on the device: they lie beyond its end now."""
    tool("sync", "-f", str(path))
    raw = image.read_bytes()
    end = raw.find(worn[15 << 20 : (15 << 20) + 4096])
    assert raw.find(good[:4096]) < end < raw.find(worn[19 << 20 : (19 << 20) + 4096])
    os.truncate(image, end)
    Path("/proc/sys/vm/drop_caches").write_text("3")
