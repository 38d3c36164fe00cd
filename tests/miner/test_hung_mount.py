"""A mount that hangs is given as a disk: the miner starts with the others and names it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cybervein_miner.disk import rack as module
from cybervein_miner.disk.marker import marker_path
from cybervein_miner.disk.rack import Rack
from cybervein_miner.record.journal import Journal
from cybervein_protocol.errors import StorageError
from cybervein_protocol.signing import KeyPair
from hung_mount import HungMount
from miner_world import World, serving, settings_of, shard_bytes
from waiting import until

KEY = KeyPair(b"\x01" * 32)
Hang = Callable[[Path], HungMount]


@pytest.fixture
def hang(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hang]:
    """Have a mount hang, and be given up soon."""
    hung: list[HungMount] = []

    def new(path: Path) -> HungMount:
        monkeypatch.setattr(module, "LOOK_SECONDS_MAX", 3.0)  # and not before: healthy ones answer
        hung.append(HungMount(path))
        return hung[-1]

    yield new
    for each in hung:
        each.let_go()


def folders(folder: Path, *names: str) -> list[Path]:
    made = [folder / name for name in names]
    for each in made:
        each.mkdir(parents=True)
    return made


def rack(folder: Path, *mounts: Path) -> Rack:
    return Rack(KEY, Journal(folder / "miner.sqlite"), floor=0, mounts=lambda: list(mounts))


def test_a_new_path_that_hangs_is_refused_named_and_taken_once_it_answers(
    tmp_path: Path, hang: Hang
) -> None:
    bad, good = folders(tmp_path, "bad", "good")
    stuck, mine = hang(bad), rack(tmp_path)
    [told] = mine.open([bad, bad / "below", good])[:1]
    assert told.startswith(f"{bad} has not answered for 3 s: does its mount hang?")
    assert [disk.path for disk in mine.disks] == [good]
    assert set(mine.refused) == {bad, bad / "below"}
    assert mine.try_refused() == []
    with pytest.raises(StorageError, match="has not answered"):
        mine.at(bad)
    stuck.let_go()
    until(lambda: bad not in mine.refused or mine.try_refused(), "the disk to be claimed")
    assert {disk.path for disk in mine.disks} == {bad, good}
    assert marker_path(bad).exists()


def test_a_known_disk_that_hangs_is_named_and_keeps_no_other_from_being_followed(
    tmp_path: Path, hang: Hang
) -> None:
    bad, moved, bay = folders(tmp_path, "bad", "moved", "bay")
    rack(tmp_path).open([bad, moved])
    moved.rename(bay / "moved")
    hang(bad)
    again = rack(tmp_path, bay, bad)
    again.open([bad, moved])
    until(lambda: again.look() or bay / "moved" in {d.path for d in again.disks}, "it is followed")
    paths = {disk.path: (disk.readable, disk.reason) for disk in again.disks}
    assert paths[bay / "moved"] == (True, "")
    assert not paths[bad][0]
    assert "has not answered" in paths[bad][1]


@pytest.mark.parametrize("said", ["leave", "give_up"])
def test_a_known_disk_that_did_not_answer_at_the_start_leaves_as_it_was_asked_to(
    tmp_path: Path, hang: Hang, said: str
) -> None:
    [bad] = folders(tmp_path, "bad")
    before = rack(tmp_path)
    before.open([bad])
    getattr(before, said)(*before.disks)
    stuck, again = hang(bad), rack(tmp_path)
    again.open([bad])
    assert set(again.refused) == {bad}
    stuck.let_go()
    until(lambda: again.try_refused() or not again.refused, "the path to be looked at")
    [disk] = again.disks
    until(lambda: again.look() or disk.readable, "the disk to be back")
    assert (disk.leaving, disk.drained) == (said == "leave", said == "give_up")
    assert disk.readable
    assert not disk.placeable


async def test_a_miner_serves_with_the_disk_that_answers(
    world: World, tmp_path: Path, hang: Hang
) -> None:
    good, bad = tmp_path / "good", tmp_path / "bad"
    settings = settings_of(world, tmp_path, good, bad)
    hang(bad)
    async with serving(world, settings) as miner:
        assert (await miner.put(shard_bytes(1000)))[0] == 201
        listed = await miner.owner().get_json(f"{miner.url}/v1/disks")
        assert [(each["path"], each["state"]) for each in listed] == [
            (str(good), "ready"), (str(bad), "missing"),
        ]  # fmt: skip
        assert "has not answered" in listed[1]["reason"]
