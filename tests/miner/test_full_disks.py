"""A filesystem without inodes, over quota or full says so, and other disks take what comes."""

import errno
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import over_quota
import pytest
from cybervein_miner.disk.disk import Disk
from cybervein_miner.disk.fullness import PAUSE_SECONDS, Fullness
from cybervein_miner.disk.late import LateWatch
from cybervein_miner.disk.space import Space
from cybervein_miner.plot import plotter as plotter_module
from cybervein_miner.plot.inventory import plot_path
from cybervein_miner.plot.policy import Wish
from cybervein_protocol.errors import StorageError
from cybervein_protocol.names import MIB
from miner_world import Mount, World, serving, settings_of, shard_bytes
from plot_farm import Farm
from structlog.testing import capture_logs

pytestmark = pytest.mark.usefixtures("by_hand")

FULL_EVENT, AGAIN = "disk takes nothing more; others take what comes", "disk takes files again"


@pytest.fixture
def few_inodes(tmp_path: Path) -> Iterator[Path]:
    """A filesystem of 64 MiB on which only forty files fit."""
    path = tmp_path / "few"
    path.mkdir()
    options = ["-o", "size=64m,nr_inodes=40", "tmpfs", str(path)]
    subprocess.run(["mount", "-t", "tmpfs", *options], check=True, capture_output=True)
    yield path
    subprocess.run(["umount", "-l", str(path)], check=False, capture_output=True)


def use_up(disk: Disk) -> list[Path]:
    """Create files until there are no inodes left."""
    files = []
    while True:
        file = disk.path / f"someone-elses-{len(files)}"
        try:
            file.touch()
        except OSError:
            return files
        files.append(file)


@pytest.fixture
def space_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Others on this machine write and remove files meanwhile, which these tests are not about."""
    space = Space(1000 * MIB, 500 * MIB, 0, None)
    monkeypatch.setattr("cybervein_miner.disk.allotment.space_of", lambda *_: space)


async def test_a_disk_without_inodes_is_told_and_the_other_takes_what_comes(
    world: World, tmp_path: Path, few_inodes: Path
) -> None:
    async with serving(world, settings_of(world, tmp_path, few_inodes)) as miner:
        [disk] = miner.node.basis.rack.disks
        watch = LateWatch(miner.node.basis.rack)
        with capture_logs() as logs:
            files = use_up(disk)
            watch.look()
            watch.look()
            assert disk.available() == 0
            status = miner.node.board.document()
            assert status.disks[0].no_room == "no inodes"
            assert status.disks[0].free_bytes > 32 * MIB
            assert status.free_bytes == 0
            assert any("no inodes" in line for line in status.degraded)
            assert (await miner.put(shard_bytes(1000)))[0] == 507
            (tmp_path / "other").mkdir()
            miner.node.basis.rack.add(tmp_path / "other")
            assert (await miner.put(shard_bytes(1000)))[0] == 201
            for file in files:
                file.unlink()
            watch.look()
        assert disk.no_room == ""
        events = [e["event"] for e in logs if e["event"] in {FULL_EVENT, AGAIN}]
        assert events == [FULL_EVENT, AGAIN]


def refusing(monkeypatch: pytest.MonkeyPatch, disk: Path, code: int) -> None:
    """The filesystem of that disk creates no file any more, as one over quota does."""
    real = os.open

    def refuse(path: str | Path, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_CREAT and Path(path).is_relative_to(disk):
            raise OSError(code, os.strerror(code), str(path))
        return real(path, flags, mode)

    monkeypatch.setattr(os, "open", refuse)


@pytest.mark.usefixtures("space_stays")
@pytest.mark.parametrize(("code", "said"), [(errno.EDQUOT, "quota"), (errno.ENOSPC, "full")])
async def test_an_upload_that_a_filesystem_refuses_goes_to_the_next(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, said: str
) -> None:
    folders = [tmp_path / name for name in ("a", "b")]
    async with serving(world, settings_of(world, tmp_path, *folders)) as miner:
        disks = {disk.path: disk for disk in miner.node.basis.rack.disks}
        refused = miner.node.basis.rack.choose(1000)
        refusing(monkeypatch, refused.path, code)
        assert (await miner.put(shard_bytes(1000)))[0] == 201
        [other] = [disk for disk in disks.values() if disk is not refused]
        assert miner.node.basis.store.index.totals(other.id).shards == 1
        assert refused.no_room == said
        assert not refused.placeable
        assert refused.io_errors == 0, "it is not the device's fault"
        [told] = [d for d in miner.node.board.document().disks if d.id == refused.id]
        assert told.no_room == said


@pytest.mark.usefixtures("space_stays")
async def test_a_plot_that_a_filesystem_refuses_is_made_on_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    farm = Farm(tmp_path, tmp_path / "a", tmp_path / "b", wish=Wish(plots=2))
    refused = farm.plotter._next_disk()
    assert refused is not None
    real = plotter_module.make_plot_file

    def make(path: Path, *arguments: object) -> object:
        if path.is_relative_to(refused.path):
            raise OSError(errno.EDQUOT, "Disk quota exceeded", str(path))
        return real(path, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(plotter_module, "make_plot_file", make)
    await farm.fill()
    assert refused.no_room == "quota"
    rows = farm.inventory.rows()
    assert len(rows) == 2
    assert all(row.disk != refused.id for row in rows)
    assert all(plot_path(farm.rack.get(row.disk), row.number).exists() for row in rows)


def test_what_a_filesystem_refused_is_tried_again_and_forgotten_when_it_has_more_room() -> None:
    now = [0.0]
    fullness = Fullness(lambda: now[0])
    then = Space(100 * MIB, 50 * MIB, 0, 1000)
    fullness.refused(OSError(errno.EDQUOT, "quota"), then)
    assert fullness.stands(then)
    now[0] += PAUSE_SECONDS
    assert not fullness.stands(then), "it is tried once in a while"
    assert fullness.kind == "quota", "and still told"
    fullness.taken()
    assert fullness.kind == ""
    fullness.refused(OSError(errno.ENOSPC, "full"), Space(100 * MIB, MIB, 0, 0))
    assert fullness.kind == "no inodes"
    assert not fullness.stands(Space(100 * MIB, MIB, 0, 100))
    fullness.refused(OSError(errno.ENOSPC, "full"), Space(100 * MIB, MIB, 0, None))
    assert fullness.kind == "full"
    assert not fullness.stands(Space(100 * MIB, 9 * MIB, 0, None))


def test_the_refusal_names_the_reason(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    farm = Farm(tmp_path, tmp_path / "d", wish=Wish(plots=0))
    [disk] = farm.rack.disks
    with pytest.raises(StorageError), disk.guard("store a shard"):
        raise OSError(errno.EDQUOT, "Disk quota exceeded")
    with pytest.raises(StorageError, match="its filesystem takes nothing more: quota"):
        farm.rack.choose(1)


def test_whoever_writes_says_that_the_quota_is_used_up_and_leaves_nothing(mount: Mount) -> None:
    """Every write of a process refused by the kernel: Python's, SQLite's and native code's."""
    script = Path(over_quota.__file__)
    ended = subprocess.run(
        [sys.executable, str(script), str(mount("64m"))], check=True, capture_output=True, text=True
    )
    told = json.loads(ended.stdout)
    words = told["words"]
    for part in ("shard", "plot", "journal", "file"):
        assert "Disk quota exceeded" in words[part], part
    assert words["journal"].endswith("nothing was changed; free its disk")
    assert words["log"] == "nothing"
    assert told["states"] == {name: ["quota", "ready", 0, False] for name in ("a", "b")}
    assert told["left"] == []


async def test_a_plot_whose_notes_a_filesystem_refuses_leaves_no_file_and_is_no_fault(
    tmp_path: Path, mount: Mount, monkeypatch: pytest.MonkeyPatch
) -> None:
    farm = Farm(tmp_path, mount("64m"), wish=Wish(plots=1))
    [disk] = farm.rack.disks
    refusing(monkeypatch, disk.folder("plots"), errno.ENOSPC)
    await farm.fill()
    assert farm.tally.plots_failed == 1
    assert (disk.no_room, disk.io_errors, disk.placeable) == ("full", 0, False)
    assert farm.plotter._failures == {}
    assert list(disk.folder("plots").iterdir()) == []
