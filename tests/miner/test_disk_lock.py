"""One process at a time on a disk: another is told who has it, and touches nothing."""

import errno
import fcntl
import os
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
from cybervein_miner.disk.disk import Disk
from cybervein_miner.disk.lock import DiskLock, lock_path
from cybervein_miner.disk.rack import Rack
from cybervein_miner.disk.wipe import wipe
from cybervein_miner.record.journal import Journal
from cybervein_protocol.api.disk_state import DiskState
from cybervein_protocol.errors import ConflictError, StorageError
from cybervein_protocol.signing import KeyPair
from cybervein_runtime.lock import hold
from miner_world import Mount, World, serving, settings_of, shard_bytes
from services import miner, run
from structlog.testing import capture_logs
from waiting import until

KEY = KeyPair(b"\x01" * 32)
WITHOUT = "used without a lock; see that no other process uses it"


def rack(folder: Path) -> Rack:
    return Rack(KEY, Journal(folder / "miner.sqlite"), floor=0, role="miner")


def held(disk: Disk) -> bool:
    lock = DiskLock("test")
    try:
        lock.take(disk.path)
    except ConflictError:
        return True
    lock.let_go()
    return False


def two_of_one_identity(world: World, folder: Path, *disks: Path) -> tuple[object, object]:
    """Two data directories with one identity; both are given the first's disk."""
    first = miner(folder / "one", world.file, "--plots", "0").start()
    (folder / "two" / "data").mkdir(parents=True)
    shutil.copy2(folder / "one" / "data" / "identity.json", folder / "two" / "data")
    more = [option for disk in disks for option in ("--disk", str(disk))]
    second = miner(folder / "two", world.file, "--plots", "0", *more)
    return first, second


def test_a_second_miner_on_the_same_disks_is_told_who_has_them_and_removes_nothing(
    world: World, tmp_path: Path
) -> None:
    first, second = two_of_one_identity(world, tmp_path)
    (tmp_path / "two" / "disk").rmdir()
    (tmp_path / "two" / "disk").symlink_to(tmp_path / "one" / "disk")
    folder = tmp_path / "one" / "disk" / "cybervein"
    making = [folder / "plots" / "00000001.plot.partial", folder / "tmp" / ("ab" * 32)]
    for file in making:
        file.write_bytes(b"half")
    second.launch()
    until(lambda: not second.alive, "the second to end")
    told = f"another miner is running on this disk (process {first.pid}, since"
    assert told in " ".join(second.tail().split())
    assert "give each its own disks" in " ".join(second.tail().split())
    assert [file.read_bytes() for file in making] == [b"half", b"half"]
    first.kill()
    second.start()
    assert [each["state"] for each in second.status()["disks"]] == ["ready"]
    assert not any(file.exists() for file in making), "now they are what a crash left"


async def test_it_works_with_its_other_disks_and_takes_the_shared_one_when_it_is_free(
    world: World, tmp_path: Path
) -> None:
    shared, own = tmp_path / "shared", tmp_path / "own"
    first = settings_of(world, tmp_path / "one", shared)
    async with serving(world, first) as one:
        (tmp_path / "two" / "data").mkdir(parents=True)
        shutil.copy2(first.identity_file, tmp_path / "two" / "data")
        second = settings_of(world, tmp_path / "two", shared, own)
        second_rack = Rack(
            one.node.basis.identity.keys,
            Journal(second.journal_file),
            floor=0,
            role="miner",
        )
        [told] = second_rack.open(second.disks)
        assert f"process {os.getpid()}" in told
        assert [disk.path for disk in second_rack.disks] == [own]
        assert (await one.put(shard_bytes(1000)))[0] == 201
    assert [disk.path for disk in second_rack.try_refused()] == [shared]


def test_a_known_disk_that_another_uses_is_out_of_service_until_that_one_ends(
    tmp_path: Path,
) -> None:
    (tmp_path / "d").mkdir()
    first = rack(tmp_path)
    first.open([tmp_path / "d"])
    first.let_go()
    other = DiskLock("miner")
    other.take(tmp_path / "d")
    mine = rack(tmp_path)
    assert "another miner is running on this disk" in mine.open([])[0]
    [disk] = mine.disks
    assert disk.state is DiskState.QUARANTINED
    other.let_go()
    assert mine.look() == [disk]
    assert disk.placeable
    assert held(disk)


async def test_the_log_says_what_to_do_about_it(world: World, tmp_path: Path) -> None:
    settings = settings_of(world, tmp_path, tmp_path / "d")
    async with serving(world, settings):
        pass
    other = DiskLock("miner")
    other.take(tmp_path / "d")
    with capture_logs() as logs:
        async with serving(world, settings) as again:
            [document] = again.node.board.document().disks
            assert "another miner is running on this disk" in document.reason
    [told] = [each for each in logs if each["event"].startswith("disk is away")]
    assert told["next_step"].startswith("stop that process")
    other.let_go()


def test_a_disk_that_is_not_used_is_held_by_nobody(tmp_path: Path, mount: Mount) -> None:
    path = mount("8m", "d")
    mine = rack(tmp_path)
    mine.open([path])
    [disk] = mine.disks
    assert held(disk)
    mine.give_up(disk)
    assert not held(disk)
    subprocess.run(["umount", str(path)], check=True)  # busy, if anything were open
    mine.look()
    assert mine.disks == [disk]


@pytest.mark.parametrize("how", ["forget", "quarantine", "let_go", "wipe"])
def test_every_way_out_lets_go(tmp_path: Path, how: str) -> None:
    (tmp_path / "d").mkdir()
    mine = rack(tmp_path)
    mine.open([tmp_path / "d"])
    [disk] = mine.disks
    assert held(disk)
    if how == "forget":
        mine.forget(disk)
    elif how == "quarantine":
        disk.quarantine("it smells of smoke")
    elif how == "let_go":
        mine.let_go()
    else:
        mine.give_up(disk)
        wipe(disk)
        assert list((tmp_path / "d").iterdir()) == [], "the lock's file is wiped too"
        return
    assert not held(disk)


def test_a_read_only_disk_is_used_and_the_log_says_that_nothing_locks_it(
    tmp_path: Path, mount: Mount
) -> None:
    path = mount("8m", "ro")
    first = rack(tmp_path)
    first.open([path])
    subprocess.run(["mount", "-o", "remount,ro", str(path)], check=True)  # while it is in use
    first.look()
    assert first.disks[0].state is DiskState.READ_ONLY
    first.let_go()
    again = rack(tmp_path)
    with capture_logs() as logs:
        again.open([path])
        again.look()
    assert again.disks[0].state is DiskState.READ_ONLY
    assert again.disks[0].readable
    assert [(each["event"], each["path"]) for each in logs] == [
        (WITHOUT, str(path / "cybervein"))
    ], "once"


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EOPNOTSUPP, errno.EBADF])
def test_a_filesystem_without_locks_is_used_and_the_log_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def refuse(_handle: int, _operation: int) -> None:
        raise OSError(code, os.strerror(code))

    (tmp_path / "d").mkdir()
    mine = rack(tmp_path)
    monkeypatch.setattr(fcntl, "flock", refuse)
    with capture_logs() as logs:
        disk = mine.add(tmp_path / "d")
        mine.look()
    assert disk.placeable
    assert [(each["event"], each["reason"]) for each in logs] == [(WITHOUT, os.strerror(code))]


def test_a_plot_command_and_a_miner_exclude_each_other(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    mine = rack(tmp_path)
    disk = mine.add(tmp_path / "d")
    command = ("plot", "create", disk.folder("plots"), "--identity", tmp_path / "i.json")
    command = (*command, "--preset", "test")
    refused = run(*command)
    assert refused.returncode != 0
    assert f"another miner is running on this disk (process {os.getpid()}" in " ".join(
        refused.stderr.split()
    )
    assert list(disk.folder("plots").iterdir()) == []
    mine.let_go()
    assert run(*command).returncode == 0
    names = sorted(file.name for file in disk.folder("plots").iterdir())
    assert names[0] == "00000000.plot"
    assert not any("lock" in name for name in names)
    assert lock_path(disk.path).exists()


def test_two_plot_commands_share_a_folder_and_never_a_plot(tmp_path: Path) -> None:
    other, identity = DiskLock("plot command"), ("--identity", tmp_path / "i.json")
    other.take_file(tmp_path / ".00000000.plot.lock", "plot 00000000.plot", "wait")
    command = ("plot", "create", tmp_path, *identity, "--preset", "test")
    refused = run(*command)
    assert refused.returncode != 0
    assert "another plot command is running on this plot 00000000.plot" in " ".join(
        refused.stderr.split()
    )
    assert run(*command, "--index", "1").returncode == 0
    other.let_go()
    assert run(*command).returncode == 0


def test_two_looks_at_once_never_take_each_other_for_another_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk is looked at by its lane and by a request: what the one took is not another's."""
    (tmp_path / "cybervein").mkdir()
    lock = DiskLock("miner")
    inside, released = threading.Event(), threading.Event()
    errors: list[Exception] = []

    def slowly(path: Path, role: str, remedy: str, what: str) -> int:
        handle = hold(path, role, remedy, what)
        inside.set()
        released.wait()
        return handle

    def look() -> None:
        try:
            lock.take(tmp_path)
        except ConflictError as error:
            errors.append(error)

    monkeypatch.setattr("cybervein_miner.disk.lock.hold", slowly)
    one, two = threading.Thread(target=look), threading.Thread(target=look)
    one.start()
    inside.wait()
    inside.clear()
    two.start()
    two.join(0.2)  # without the care it has met the lock of the first by now
    released.set()
    one.join()
    two.join()
    assert errors == []
    assert not inside.is_set(), "the second found it taken, by itself"
    lock.let_go()
    other = DiskLock("test")
    other.take(tmp_path)
    other.let_go()


def test_a_look_that_comes_back_late_holds_no_disk_that_was_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its disk hung, was removed by force and answers again: whoever adds it then gets it."""
    (tmp_path / "d").mkdir()
    mine = rack(tmp_path)
    mine.open([tmp_path / "d"])
    [disk] = mine.disks
    disk.lock.let_go()

    def late(path: Path, role: str, remedy: str, what: str) -> int:
        mine.forget(disk)
        return hold(path, role, remedy, what)

    with monkeypatch.context() as patched:
        patched.setattr("cybervein_miner.disk.lock.hold", late)
        disk.check()
    assert not held(disk)
    assert mine.add(tmp_path / "d").placeable
    mine.let_go()


def test_a_known_disk_that_cannot_be_taken_at_its_new_place_stays_known(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    mine = rack(tmp_path)
    mine.open([tmp_path / "d"])
    [disk] = mine.disks
    mine.leave(disk)
    disk.quarantine("it smells of smoke")
    (tmp_path / "d").rename(tmp_path / "e")
    other = DiskLock("plot command")
    other.take(tmp_path / "e")
    with pytest.raises(StorageError, match="another plot command is running"):
        mine.add(tmp_path / "e")
    assert mine.get(disk.id) is disk, "its plots are still looked for there"
    other.let_go()
    assert mine.look() == [disk]
    assert disk.placeable
    mine.let_go()
    again = rack(tmp_path)
    again.open([])
    assert [(each.home, each.leaving) for each in again.disks] == [(tmp_path / "e", False)]
    again.let_go()


def test_a_disk_that_is_added_during_a_look_ends_no_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "e").mkdir()
    mine, look = rack(tmp_path), Disk.still_there
    mine.open([tmp_path / "d"])

    def adding(disk: Disk) -> None:
        if len(mine.disks) == 1:
            mine.add(tmp_path / "e")
        look(disk)

    monkeypatch.setattr(Disk, "still_there", adding)
    assert mine.look() == []
    assert [disk.path for disk in mine.disks] == [tmp_path / "d", tmp_path / "e"]
    mine.let_go()
