"""What an I/O error says about its disk, and how a quarantine ends."""

import asyncio
import errno
from pathlib import Path

import pytest
from cybervein_miner.chain.super_node import beacon_of
from cybervein_miner.disk import claiming, trouble
from cybervein_miner.disk.aside import PAUSE_SECONDS_MAX, Aside
from cybervein_miner.disk.disk import Disk
from cybervein_miner.disk.marker import Marker, create_marker, read_marker
from cybervein_miner.disk.trouble import (
    FILES_MAX,
    PROBE_SECONDS_MIN,
    FailedFiles,
    judge,
    takes_a_write,
)
from cybervein_miner.duty import upkeep
from cybervein_miner.duty.upkeep import Stopping
from cybervein_miner.plot.inventory import PlotState, plot_path
from cybervein_protocol.api.disk_state import DiskState
from cybervein_protocol.errors import MalformedError, StorageError
from cybervein_protocol.signing import KeyPair
from plot_farm import Farm
from structlog.testing import capture_logs

KEY = KeyPair(b"\1" * 32)


@pytest.mark.parametrize(
    ("code", "files", "writes", "expected"),
    [
        (errno.ENOSPC, FILES_MAX, False, None),
        (errno.EDQUOT, FILES_MAX, False, None),
        (errno.EMFILE, FILES_MAX, False, None),
        (errno.EBADF, FILES_MAX, False, None),
        (errno.EROFS, 1, False, DiskState.READ_ONLY),
        (errno.EIO, 1, True, None),
        (errno.EIO, 1, False, DiskState.QUARANTINED),
        (errno.EIO, FILES_MAX, True, DiskState.QUARANTINED),
        (errno.EISDIR, FILES_MAX, True, None),
        (errno.EPERM, 1, True, None),
        (errno.EACCES, 1, False, DiskState.QUARANTINED),
        (errno.ENODEV, 1, True, DiskState.QUARANTINED),
    ],
)
def test_an_error_costs_the_disk_what_it_says_of_it(
    code: int, files: int, *, writes: bool, expected: DiskState | None
) -> None:
    assert judge(OSError(code, "x"), files, lambda: writes) is expected


def test_a_disk_that_takes_a_write_keeps_nothing_of_it(tmp_path: Path) -> None:
    assert takes_a_write(tmp_path / "probe", b"key")
    assert not takes_a_write(tmp_path / "gone" / "probe", b"key")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def now() -> list[float]:
    return [1000.0]


@pytest.fixture
def disk(tmp_path: Path, now: list[float]) -> Disk:
    (tmp_path / "d").mkdir()
    marker = create_marker(tmp_path / "d", KEY, 1)
    failures = FailedFiles(lambda: now[0])
    disk = Disk(marker.disk.hex(), tmp_path / "d", KEY.public, 0, failures=failures)
    disk.check()
    return disk


def fail(disk: Disk, file: Path, times: int = 1) -> None:
    for _ in range(times):
        with pytest.raises(StorageError), disk.guard("read a shard"):
            raise OSError(errno.EIO, "Input/output error", str(file))


def test_a_file_that_fails_again_and_again_is_one_file(disk: Disk) -> None:
    fail(disk, disk.path / "one", 50)
    assert (disk.state, disk.io_errors) == (DiskState.READY, 1)


def test_several_files_take_the_disk_out_and_it_comes_back_when_they_are_mended(
    disk: Disk, now: list[float]
) -> None:
    bad = [disk.path / f"bad{number}" for number in range(FILES_MAX)]
    for file in bad:
        file.symlink_to("/proc/self/mem")  # a file whose every read is an I/O error
        fail(disk, file)
    assert disk.state is DiskState.QUARANTINED
    disk.still_there()
    assert disk.state is DiskState.QUARANTINED, "it is let rest"
    now[0] += PROBE_SECONDS_MIN
    disk.still_there()
    assert disk.state is DiskState.QUARANTINED, "what failed still fails"
    for file in bad:
        file.unlink()
    now[0] += PROBE_SECONDS_MIN
    disk.still_there()
    assert disk.state is DiskState.QUARANTINED, "after a failed try the pause is twice as long"
    now[0] += PROBE_SECONDS_MIN
    disk.still_there()
    assert (disk.state, disk.io_errors) == (DiskState.READY, 0)


def test_a_disk_that_takes_no_write_comes_back_when_it_does(disk: Disk, now: list[float]) -> None:
    disk.folder("tmp").rmdir()
    fail(disk, disk.path / "one")
    assert disk.state is DiskState.QUARANTINED
    now[0] += PROBE_SECONDS_MIN
    disk.still_there()
    assert disk.state is DiskState.QUARANTINED
    disk.folder("tmp").mkdir()
    now[0] += 2 * PROBE_SECONDS_MIN
    disk.still_there()
    assert disk.state is DiskState.READY


async def test_a_plot_that_cannot_be_removed_is_set_aside_and_its_disk_works_on(
    tmp_path: Path,
) -> None:
    (tmp_path / "d").mkdir()
    farm = Farm(tmp_path, tmp_path / "d")
    await farm.fill()
    [disk] = farm.rack.disks
    row, other, _ = farm.inventory.rows(PlotState.MADE)
    path = plot_path(disk, row.number)
    path.unlink()
    (path / "x").mkdir(parents=True)  # a directory in its place cannot be unlinked
    for _ in range(10):
        farm.inventory.drop([row, other])
    assert disk.state is DiskState.READY
    assert {each.number for each in farm.inventory.rows()} == {row.number, row.number + 2}
    (path / "x").rmdir()
    path.rmdir()
    farm.inventory.drop([row])
    assert row in farm.inventory.rows(), "its next try is later"
    farm.inventory._aside = Aside()
    farm.inventory.drop([row])
    assert row not in farm.inventory.rows()


def test_what_is_set_aside_is_tried_ever_more_seldom(now: list[float]) -> None:
    aside = Aside(lambda: now[0])
    assert not aside.waits("row")
    pauses = []
    for _ in range(12):
        aside.failed("row")
        pauses.append(_pause(aside, now))
    assert pauses == sorted(pauses)
    assert pauses[1] == 2 * pauses[0]
    assert pauses[-1] == PAUSE_SECONDS_MAX
    aside.done("row")
    assert not aside.waits("row")


def _pause(aside: Aside, now: list[float]) -> float:
    began, step = now[0], 30.0
    while aside.waits("row"):
        now[0] += step
    return now[0] - began


def test_what_was_under_way_may_fail_while_failed_files_are_read_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    failures = FailedFiles(files={"/a", "/b"})

    def read(name: str) -> bool:
        failures.add(OSError(errno.EIO, "Input/output error", f"{name} and another"), "read")
        return True

    monkeypatch.setattr(trouble, "_reads", read)
    assert failures.mended()


def test_a_place_that_fails_while_it_is_claimed_is_refused_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "good").mkdir()

    def failing(path: Path, miner: bytes) -> Marker:
        if path.name == "bad":
            raise OSError(errno.EIO, "Input/output error")
        return read_marker(path, miner)

    with monkeypatch.context() as broken:
        broken.setattr(claiming, "read_marker", failing)
        farm = Farm(tmp_path, tmp_path / "bad", tmp_path / "good")
        assert [disk.path for disk in farm.rack.disks] == [tmp_path / "good"]
        assert "cannot claim" in str(farm.rack.refused[tmp_path / "bad"])
        assert farm.rack.try_refused() == []
    [back] = farm.rack.try_refused()
    assert back.path == tmp_path / "bad"


async def test_a_scrub_that_fails_is_said_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "SCRUB_PAUSE_SECONDS", 0.0)
    stopping, loop, steps = Stopping(), asyncio.get_running_loop(), []

    class Scrubber:
        def step(self) -> bool:
            steps.append(1)
            if len(steps) == 1:
                raise StorageError("the journal's disk is full")
            loop.call_soon_threadsafe(stopping.request)
            return False

    with capture_logs() as logs:
        await upkeep.scrub(stopping, Scrubber())  # type: ignore[arg-type]
    assert len(steps) > 1
    assert [(each["event"], each["error"]) for each in logs] == [
        ("scrub failed; it continues later", "the journal's disk is full")
    ]


def test_a_beacon_that_is_none_is_an_error_of_ours_and_ends_no_duty() -> None:
    with pytest.raises(MalformedError, match="beacon 'zz' is not hex"):
        beacon_of("zz")
