"""Mount points exchanged, moved or gone: disks are followed by their markers, nothing is lost."""

import asyncio
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from blake3 import blake3
from cybervein_miner.disk.device import Device
from cybervein_miner.disk.marker import CONTEXT, marker_path, read_marker
from cybervein_miner.disk.places import mount_points, places_of
from cybervein_miner.disk.rack import Rack
from cybervein_miner.plot.inventory import PlotState
from cybervein_miner.plot.policy import Wish
from cybervein_miner.prover.space import Challenge
from cybervein_miner.record.journal import Journal
from cybervein_protocol.api.disk_state import DiskState
from cybervein_protocol.encoding import encode
from cybervein_protocol.errors import StorageError
from cybervein_protocol.signing import KeyPair, sign_record
from miner_world import Mount, Running, World, serving, settings_of, shard_bytes
from msgspec.structs import replace

pytestmark = pytest.mark.usefixtures("by_hand")

KEY = KeyPair(b"\x01" * 32)


def tool(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


def move(before: Path, after: Path) -> None:
    """Have the filesystem at another mount point, as a drive put into another bay."""
    after.mkdir(exist_ok=True)
    tool("mount", "--bind", str(before), str(after))
    tool("umount", "-l", str(before))  # a miner that runs holds its disks


def exchange(first: Path, second: Path) -> None:
    aside = first.with_name("aside")
    move(first, aside)
    move(second, first)
    move(aside, second)


def places(rack: Rack) -> dict[str, Path]:
    return {disk.id: disk.path for disk in rack.disks}


def rack(folder: Path, *mounts: Path) -> Rack:
    return Rack(KEY, Journal(folder / "miner.sqlite"), floor=0, mounts=lambda: list(mounts))


def files(place: Path) -> set[str]:
    return {str(file.relative_to(place)) for file in place.rglob("*") if file.is_file()}


async def fill(miner: Running, plots: int) -> None:
    async with asyncio.timeout(300):
        while len(miner.node.basis.inventory.rows()) < plots:
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("running", [True, False], ids=["while it runs", "while it is stopped"])
async def test_exchanged_mount_points_cost_nothing(
    world: World, tmp_path: Path, mount: Mount, *, running: bool
) -> None:
    first, second = mount("8m", "first"), mount("12m", "second")
    settings = settings_of(world, tmp_path, first, second, wish=Wish(plots=4))
    data, asked = [shard_bytes(50_000, seed) for seed in range(3)], Challenge(1, bytes(32), 8)
    async with serving(world, settings) as miner:
        await fill(miner, 4)
        for each in data:
            assert (await miner.put(each))[0] == 201
        inventory = miner.node.basis.inventory
        inventory.set_state(inventory.rows(), PlotState.ACTIVE, bytes(32))
        before, was = places(miner.node.basis.rack), {p: files(p) for p in (first, second)}
        if running:
            exchange(first, second)
            await asyncio.to_thread(miner.node.upkeep.look)
            await _all_is_well(miner, data, asked, before)
    if not running:
        exchange(first, second)
    for _ in range(2):  # and after each further start
        async with serving(world, settings) as again:
            await _all_is_well(again, data, asked, before)
    assert {p: files(p) for p in (second, first)} == {second: was[first], first: was[second]}


async def _all_is_well(
    miner: Running, data: list[bytes], asked: Challenge, before: dict[str, Path]
) -> None:
    one, other = before
    rack, inventory = miner.node.basis.rack, miner.node.basis.inventory
    assert places(rack) == {one: before[other], other: before[one]}
    assert [disk.state for disk in rack.disks] == [DiskState.READY] * 2
    for each in data:
        assert await miner.get(blake3(each).digest()) == (200, each)
    assert {row.state for row in inventory.rows()} == {PlotState.ACTIVE}
    proof = await asyncio.to_thread(miner.node.watch.prover.prove, asked)
    assert proof is not None
    assert len(proof.answers) == 4
    document = miner.node.board.document()
    assert document.degraded == ["no super node answers"] or not document.degraded
    told = {disk.path: disk.reason for disk in document.disks}
    assert told == {
        str(before[name]): f"given as {before[another]}; its marker was found here"
        for name, another in ((one, other), (other, one))
    }


async def test_a_disk_that_went_is_seen_before_the_next_write(
    world: World, tmp_path: Path, mount: Mount
) -> None:
    keep, gone = mount("4m", "keep"), mount("16m", "gone")
    async with serving(world, settings_of(world, tmp_path, keep, gone)) as miner:
        tool("umount", "-l", str(gone))
        for name in ("plots", "shards", "trash", "tmp"):  # as a careless copy would have left it
            (gone / "cybervein" / name).mkdir(parents=True)
        data = shard_bytes(50_000)
        assert (await miner.put(data))[0] == 201, "the disk that is there takes it"
        held = miner.node.basis.store.reader.held(blake3(data).digest())
        assert miner.node.basis.rack.get(held.disk).path == keep
        lost = next(disk for disk in miner.node.basis.rack.disks if disk.path == gone)
        assert lost.state is DiskState.MISSING
        assert files(gone) == set()


def test_no_plot_and_no_byte_is_promised_to_the_wrong_filesystem(
    tmp_path: Path, mount: Mount
) -> None:
    first, second = mount("8m", "first"), mount("8m", "second")
    mine = rack(tmp_path)
    mine.open([first, second])
    one, other = mine.disks
    exchange(first, second)
    with pytest.raises(StorageError, match="holds disk"), one.guard("make plot 1"):
        raise AssertionError("never entered")
    with pytest.raises(StorageError, match="holds disk"):
        other.reserve(1000, second / "file")
    assert (one.available(), other.available()) == (0, 0)
    assert {disk.path for disk in mine.follow()} == {first, second}
    with one.guard("make plot 1"):
        assert one.path == second


def test_a_disk_is_followed_to_a_mount_point_nobody_named(tmp_path: Path, mount: Mount) -> None:
    bay = mount("8m", "bay")
    (bay / "mine").mkdir()
    rack(tmp_path).open([bay / "mine"])
    move(bay, tmp_path / "other bay")
    (bay / "mine").mkdir(parents=True)
    again = Rack(
        KEY, Journal(tmp_path / "miner.sqlite"), floor=0
    )  # the kernel's own list of mounts
    try:
        assert again.open([bay / "mine"]) == []
        assert [disk.path for disk in again.disks] == [tmp_path / "other bay" / "mine"]
        assert list((bay / "mine").iterdir()) == [], "the empty mount point is not claimed"
        assert tmp_path / "other bay" in mount_points()
    finally:
        move(tmp_path / "other bay", bay)
    again.look()
    assert [(disk.path, disk.state) for disk in again.disks] == [(bay / "mine", DiskState.READY)]


def test_a_read_only_look_at_a_disk_elsewhere_is_not_taken_for_its_new_place(
    tmp_path: Path, mount: Mount
) -> None:
    bay, look = mount("8m", "bay"), tmp_path / "look"
    (bay / "mine").mkdir()
    rack(tmp_path).open([bay / "mine"])
    move(bay, look)
    tool("mount", "-o", "remount,bind,ro", str(look))
    again = Rack(KEY, Journal(tmp_path / "miner.sqlite"), floor=0)
    try:
        again.open([bay / "mine"])
        assert look not in mount_points()
        assert [disk.state for disk in again.disks] == [DiskState.MISSING]
    finally:
        tool("umount", str(look))


def test_a_new_disk_takes_the_place_that_an_old_one_left(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    mine = rack(tmp_path)
    mine.open([tmp_path / "a"])
    [old] = mine.disks
    (tmp_path / "a").rename(tmp_path / "b" / "a")
    (tmp_path / "a").mkdir()
    found = rack(tmp_path, tmp_path / "b")
    found.open([tmp_path / "a"])
    assert places(found) == {old.id: tmp_path / "b" / "a"}
    assert not marker_path(tmp_path / "a").exists()
    new = found.add(tmp_path / "a")
    assert places(found) == {old.id: tmp_path / "b" / "a", new.id: tmp_path / "a"}
    again = rack(tmp_path)
    again.open([tmp_path / "a"])
    assert places(again) == places(found)


def test_a_disk_that_was_given_anew_stays_where_it_was_given(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    mine = rack(tmp_path)
    mine.open([tmp_path / "a"])
    (tmp_path / "a").rename(tmp_path / "b")
    (tmp_path / "a").mkdir()
    again = rack(tmp_path)
    assert again.open([tmp_path / "b", tmp_path / "a"]) == []
    assert again.at(tmp_path / "b") is again.get(mine.disks[0].id)
    assert len(again.disks) == 2, "its former directory is a disk of its own now"


def test_places_below_other_mount_points() -> None:
    home = Path("/mnt/old/deep/mine")
    assert list(places_of(home, [Path("/m")])) == [
        Path("/m"), Path("/m/mine"), Path("/m/deep/mine"),
    ]  # fmt: skip


async def test_the_list_says_which_disk_is_where(world: World, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    async with serving(world, settings_of(world, tmp_path, tmp_path / "a", tmp_path / "b")) as m:
        (tmp_path / "a").rename(tmp_path / "c")
        (tmp_path / "b").rename(tmp_path / "a")
        (tmp_path / "c").rename(tmp_path / "b")
        await asyncio.to_thread(m.node.upkeep.look)
        listed = await m.owner().get_json(f"{m.url}/v1/disks")
        assert [(each["state"], each["path"]) for each in listed] == [
            ("ready", str(tmp_path / "a")), ("ready", str(tmp_path / "b")),
        ]  # fmt: skip
        assert all("given as" in each["reason"] for each in listed), json.dumps(listed)


def test_a_mount_point_that_was_claimed_without_its_disk_says_how_the_disk_is_had(
    tmp_path: Path,
) -> None:
    place, away = tmp_path / "hdd", tmp_path / "unplugged"
    place.mkdir()
    first = Rack(KEY, Journal(tmp_path / "lost.sqlite"), floor=0)
    first.open([place])
    [wanted] = first.disks
    place.rename(away)
    place.mkdir()
    again = rack(tmp_path)
    again.open([place])
    [claimed] = again.disks
    place.rename(tmp_path / "below")
    away.rename(place)
    with pytest.raises(StorageError, match=f"disk remove {claimed.id} --force"):
        again.add(place)
    again.forget(claimed)
    assert again.add(place).id == wanted.id


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy below another mount point of a disk that is not mounted, as a backup would be."""
    home, copy = tmp_path / "bay" / "mine", tmp_path / "backup" / "mine"
    home.mkdir(parents=True)
    rack(tmp_path).open([home])
    shutil.copytree(home, copy)  # times and modes too
    home.rename(tmp_path / "unplugged")
    home.mkdir()
    return copy


def test_a_copy_is_not_taken_for_the_disk_where_no_uuid_tells(tmp_path: Path, copied: Path) -> None:
    before = files(copied)
    again = rack(tmp_path, tmp_path / "backup")
    [told] = again.open([tmp_path / "bay" / "mine"])
    [disk] = again.disks
    assert (disk.path, disk.state) == (tmp_path / "bay" / "mine", DiskState.MISSING)
    assert f"{copied} has its marker too, perhaps a copy" in told
    again.look()
    again.follow()
    assert disk.reason.count("perhaps a copy") == 1
    assert files(copied) == before
    (tmp_path / "bay" / "mine").rmdir()
    (tmp_path / "unplugged").rename(tmp_path / "bay" / "mine")
    assert again.look() == [disk]
    assert disk.placeable


def test_a_person_may_say_that_a_copy_is_the_disk_now(tmp_path: Path, copied: Path) -> None:
    again = rack(tmp_path, tmp_path / "backup")
    again.open([tmp_path / "bay" / "mine"])
    [disk] = again.disks
    assert f"cybervein disk add {copied}" in disk.reason
    assert again.add(copied) is disk
    assert (disk.path, disk.home, disk.placeable) == (copied, copied, True)


def test_where_a_uuid_is_known_it_decides(
    tmp_path: Path, copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Inode numbers that are made up, as some FUSE filesystems do, are another copy's."""
    marker = read_marker(copied, KEY.public)
    named = sign_record(CONTEXT, replace(marker, filesystem="1234-ABCD"), KEY)
    marker_path(copied).write_bytes(encode(named))
    for module in ("marker", "places"):
        monkeypatch.setattr(
            f"cybervein_miner.disk.{module}.device_of", lambda _path: Device("1234-ABCD", "")
        )
    again = rack(tmp_path, tmp_path / "backup")
    assert again.open([tmp_path / "bay" / "mine"]) == []
    assert [disk.path for disk in again.disks] == [copied]


def test_a_disk_of_an_older_journal_is_known_by_its_marker_once_it_was_seen(
    tmp_path: Path,
) -> None:
    """Release 0.2.0 wrote no imprint down."""
    home, moved = tmp_path / "bay" / "mine", tmp_path / "other" / "mine"
    home.mkdir(parents=True)
    rack(tmp_path).open([home])
    journal = Journal(tmp_path / "miner.sqlite")
    journal.write_now(lambda db: db.execute("DELETE FROM counter"))
    journal.close()
    rack(tmp_path).open([])
    moved.parent.mkdir()
    home.rename(moved)
    again = rack(tmp_path, tmp_path / "other")
    assert again.open([]) == []
    assert [disk.path for disk in again.disks] == [moved]
