"""What an I/O error says about its disk, and how a quarantine ends."""

import asyncio
import errno
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from blake3 import blake3
from cybervein_miner.chain.super_node import beacon_of
from cybervein_miner.disk import claiming
from cybervein_miner.disk import read_test as read_test_module
from cybervein_miner.disk.aside import PAUSE_SECONDS_MAX, Aside
from cybervein_miner.disk.disk import Disk
from cybervein_miner.disk.marker import Marker, create_marker, read_marker
from cybervein_miner.disk.read_test import SAMPLE_FILES, ReadTest, probe_reads
from cybervein_miner.disk.trouble import (
    FILES_MAX,
    PROBE_SECONDS_MIN,
    FailedFiles,
    judge,
    takes_a_write,
)
from cybervein_miner.duty import upkeep
from cybervein_miner.duty.given_up import GivenUp
from cybervein_miner.duty.upkeep import Stopping
from cybervein_miner.plot.inventory import PlotState, plot_path
from cybervein_miner.plot.policy import Wish
from cybervein_miner.record.tree_file import outboard_path
from cybervein_miner.shard.index import ShardState
from cybervein_miner.shard.layout import shard_path
from cybervein_miner.shard.store import ShardStore
from cybervein_protocol.api.disk_state import DiskState
from cybervein_protocol.errors import MalformedError, StorageError
from cybervein_protocol.signing import KeyPair
from miner_world import Running, shard_bytes
from plot_farm import Farm, asked, proven
from structlog.testing import capture_logs

pytestmark = pytest.mark.usefixtures("by_hand")
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


def unreadable(disk: Disk, *names: str) -> list[Path]:
    """Files of the disk whose every read is an I/O error."""
    files = [disk.folder("plots") / name for name in names]
    for file in files:
        file.symlink_to("/proc/self/mem")
    return files


def test_several_files_take_the_disk_out_and_it_comes_back_when_the_rest_is_read_well(
    disk: Disk, now: list[float]
) -> None:
    (disk.folder("plots") / "whole").write_bytes(bytes(5000))
    bad = unreadable(disk, "a", "b", "c")
    for file in bad:
        fail(disk, file)
    assert disk.state is DiskState.QUARANTINED
    disk.still_there()
    assert disk.state is DiskState.QUARANTINED, "it is let rest"
    now[0] += PROBE_SECONDS_MIN
    disk.still_there()
    assert (disk.state, disk.io_errors) == (DiskState.READY, 0)
    assert disk.failures.given_up == set(map(str, bad))


def test_what_was_given_up_is_no_news_and_what_fails_newly_is(disk: Disk, now: list[float]) -> None:
    bad = unreadable(disk, "a", "b", "c")
    for file in bad:
        fail(disk, file)
    now[0] += PROBE_SECONDS_MIN
    disk.still_there()
    for file in bad:
        fail(disk, file, 5)
    assert (disk.state, disk.io_errors) == (DiskState.READY, 0)
    for file in unreadable(disk, "d", "e", "f"):
        fail(disk, file)
    assert disk.state is DiskState.QUARANTINED
    now[0] += PROBE_SECONDS_MIN
    disk.still_there()
    assert disk.state is DiskState.QUARANTINED, "after each quarantine the pause is twice as long"
    bad[0].unlink()
    now[0] += PROBE_SECONDS_MIN
    disk.still_there()
    assert disk.state is DiskState.READY
    assert {Path(name).name for name in disk.failures.given_up} == set("bcdef")


def test_a_disk_on_which_other_files_fail_too_is_let_rest(disk: Disk, now: list[float]) -> None:
    first = unreadable(disk, "a", "b", "c", "d")[:FILES_MAX]
    for file in first:
        fail(disk, file)
    now[0] += PROBE_SECONDS_MIN
    disk.still_there()
    assert disk.state is DiskState.QUARANTINED, "a sample of the others was read"
    assert disk.io_errors == FILES_MAX + 1
    now[0] += 2 * PROBE_SECONDS_MIN
    disk.still_there()
    assert disk.state is DiskState.READY, "now all that fails is known"


def test_a_read_test_reads_a_sample_and_what_failed_and_knows_a_dead_device(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(SAMPLE_FILES + 5):
        (tmp_path / f"{number:02}").write_bytes(bytes(100))
    asked: list[tuple[int, int]] = []

    def first(files: Sequence[Path], count: int) -> Sequence[Path]:
        asked.append((len(files), count))
        return sorted(files)[:count]

    failed = {str(tmp_path / "00"), str(tmp_path / "gone"), "read a shard"}
    assert probe_reads(failed, [tmp_path], first) == ReadTest(
        frozenset(failed), frozenset(), frozenset(), away=False
    )
    assert asked == [(SAMPLE_FILES + 4, SAMPLE_FILES)]

    def away(*_given: object) -> bytes:
        raise OSError(errno.ENODEV, "No such device")

    monkeypatch.setattr(os, "pread", away)
    test = probe_reads(failed, [tmp_path], first)
    assert (test.away, test.passed) == (True, False)


async def test_a_disk_with_lasting_bad_sectors_works_on_without_those_shards(
    miner: Running,
) -> None:
    data = [shard_bytes(40_000, seed) for seed in range(5)]
    for each in data:
        assert (await miner.put(each))[0] == 201
    [disk], store = miner.node.basis.rack.disks, miner.node.basis.store
    now = [0.0]
    disk.failures.clock = lambda: now[0]
    roots = [blake3(each).digest() for each in data]
    for root in roots[:FILES_MAX]:
        shard_path(disk, root).unlink()
        shard_path(disk, root).symlink_to("/proc/self/mem")
        assert (await miner.get(root, "?offset=0&length=1000"))[0] == 507
    assert disk.state is DiskState.QUARANTINED
    assert disk.io_errors == FILES_MAX, "one file is one, by whatever name the error came"
    assert (await miner.get(roots[-1]))[0] == 507
    with capture_logs() as logs:
        miner.node.upkeep.look()
        now[0] = PROBE_SECONDS_MIN
        miner.node.upkeep.look()
    [told] = [e for e in logs if e["event"].startswith("files that cannot be read are set aside")]
    assert (told["files"], told["plots"]) == (3, [])
    assert {"disk is away; the others keep working", "disk is back"} < {e["event"] for e in logs}
    states = [store.index.find(root).state for root in roots]
    assert states == [ShardState.BAD] * 3 + [ShardState.HELD] * 2
    assert await miner.get(roots[-1]) == (200, data[-1])
    assert (await miner.get(roots[0]))[0] == 404
    [shown] = miner.node.board.document().disks
    assert (shown.state, shown.files_set_aside) == ("ready", 3)
    assert shown.reason == "3 files cannot be read and are set aside; the rest can"


async def test_plots_with_bad_sectors_are_made_again(tmp_path: Path, now: list[float]) -> None:
    (tmp_path / "d").mkdir()
    farm = Farm(tmp_path, tmp_path / "d", wish=Wish(plots=4))
    await farm.fill()
    farm.activate()
    [disk] = farm.rack.disks
    disk.failures.clock = lambda: now[0]
    *bad, whole = farm.inventory.rows()
    for row in bad:
        file = plot_path(disk, row.number)
        file.unlink()
        file.symlink_to("/proc/self/mem")
    assert farm.prover.prove(asked()) is None
    assert disk.state is DiskState.QUARANTINED
    now[0] += PROBE_SECONDS_MIN
    farm.rack.look()
    store = ShardStore(farm.rack, farm.journal, lambda: 1)
    given_up = GivenUp(store=store, inventory=farm.inventory)
    given_up.tell(disk)
    given_up.tell(disk)
    assert farm.inventory.rows(PlotState.BAD) == [replace(row, state=PlotState.BAD) for row in bad]
    assert proven(farm) == {whole.plot_id}
    farm.inventory.drop(farm.inventory.rows(PlotState.BAD))
    assert disk.state is DiskState.READY, "a file that is given up can be removed"
    assert len(farm.inventory.rows()) == 1


async def test_an_outboard_that_cannot_be_read_is_made_again_when_it_is_given_up(
    miner: Running,
) -> None:
    data = shard_bytes(300_000)
    assert (await miner.put(data))[0] == 201
    [disk] = miner.node.basis.rack.disks
    beside = outboard_path(shard_path(disk, blake3(data).digest()))
    whole = beside.read_bytes()
    beside.unlink()
    beside.symlink_to("/proc/self/mem")
    disk.failures.given_up = frozenset({str(beside)})
    miner.node.upkeep.take_in([disk])
    assert beside.read_bytes() == whole
    assert miner.node.basis.store.index.totals(disk.id).bad == 0


async def test_a_disk_that_comes_back_between_two_looks_is_taken_in(miner: Running) -> None:
    [disk] = miner.node.basis.rack.disks
    taken: list[Disk] = []
    miner.node.upkeep.take_in = taken.extend
    disk.quarantine("a test")
    miner.node.upkeep._away.add(disk.id)
    disk.check()
    miner.node.upkeep.look()
    miner.node.upkeep.look()
    assert taken == [disk]


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
    disk: Disk, now: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    disk.failures.files = {"/a", "/b"}
    disk.quarantine("a test")

    def read(path: Path) -> None:
        error = OSError(errno.EIO, "Input/output error", f"{path} and another")
        disk.failures.add(error, "read")

    monkeypatch.setattr(read_test_module, "_whole", read)
    now[0] += PROBE_SECONDS_MIN
    disk.still_there()
    assert disk.state is DiskState.READY
    assert disk.io_errors == 2, "what failed meanwhile is not forgotten"


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
