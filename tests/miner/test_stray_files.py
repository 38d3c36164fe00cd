"""Files of others among ours: skipped, told once, never deleted; what is ours is taken in."""

import shutil
from pathlib import Path

import pytest
from blake3 import blake3
from cybervein_miner.disk.belongings import found_in, tell_strays
from cybervein_miner.disk.presence import FOLDERS
from cybervein_miner.disk.rack import Rack
from cybervein_miner.disk.wipe import Wiped, wipe
from cybervein_miner.plot.adoption import take_in
from cybervein_miner.plot.inventory import Inventory
from cybervein_miner.record.journal import Journal
from cybervein_miner.shard.index import ShardIndex
from cybervein_miner.shard.layout import shard_path
from cybervein_miner.shard.tidy import tidy
from cybervein_protocol.presets import TEST
from cybervein_protocol.signing import KeyPair
from cybervein_protocol.space import PlotShape
from miner_world import World, serving, settings_of, shard_bytes
from structlog.testing import capture_logs

KEY = KeyPair(b"\x01" * 32)
NAMES = (
    ".DS_Store",
    "Thumbs.db",
    "desktop.ini",
    "notes.txt~",
    ".report.odt.tmp",
    "7.plot",
    "ab" * 31,
)


def litter(place: Path) -> list[Path]:
    """What file managers, editors and recovery tools leave, files and folders."""
    files = [place / name for name in NAMES]
    for file in files:
        file.write_bytes(b"somebody else's")
    lost = place / "lost+found"
    lost.mkdir()
    (lost / ("cd" * 32)).write_bytes(b"somebody else's")
    (place / ("ef" * 32)).mkdir()
    (place / "00000099.plot").mkdir()
    (place / "link").symlink_to(place / "nowhere")
    return [*files, lost / ("cd" * 32), place / ("ef" * 32), place / "00000099.plot"]


async def test_shards_are_adopted_among_the_files_of_others(world: World, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    settings = settings_of(world, tmp_path, disk)
    data = [shard_bytes(5000, seed) for seed in range(2)]
    async with serving(world, settings) as first:
        for each in data:
            assert (await first.put(each))[0] == 201
    for file in (tmp_path / "data").glob("miner.sqlite*"):
        file.unlink()  # the journal is lost: everything is adopted
    left = [file for name in FOLDERS for file in litter(disk / "cybervein" / name)]
    folder = disk / "cybervein" / "shards" / blake3(data[0]).hexdigest()[:2]
    (folder / ".DS_Store").write_bytes(b"somebody else's")
    async with serving(world, settings) as again:
        index = again.node.basis.store.index
        assert all(index.find(blake3(each).digest()) for each in data)
        assert index.totals().shards == 2
        assert again.node.basis.rack.disks[0].io_errors == 0
    assert all(file.exists() for file in left)
    assert (folder / ".DS_Store").exists()


def test_a_folder_that_is_none_is_told_and_keeps_no_shard_out(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    journal = Journal(tmp_path / "m.sqlite")
    rack = Rack(KEY, journal, floor=0)
    rack.open([tmp_path / "d"])
    [disk] = rack.disks
    data = shard_bytes(100)
    root = blake3(data).digest()
    shard_path(disk, root).parent.mkdir()
    shard_path(disk, root).write_bytes(data)
    shutil.rmtree(disk.folder("tmp"))
    disk.folder("tmp").write_bytes(b"a file where a folder should be")
    with capture_logs() as told:
        tell_strays(disk)
    assert [each["problem"] for each in told] == [f"{disk.folder('tmp')}: Not a directory"]
    assert tidy([disk], journal, 1) == [root]
    assert ShardIndex(journal).totals().shards == 1


def test_plots_of_others_are_neither_used_nor_removed(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    journal = Journal(tmp_path / "m.sqlite")
    rack = Rack(KEY, journal, floor=0)
    rack.open([tmp_path / "d"])
    [disk] = rack.disks
    left = litter(disk.folder("plots"))
    ours = disk.folder("plots") / "00000001.plot.partial"
    ours.write_bytes(b"an interrupted plotter's")
    shape = PlotShape(TEST.plot_rows_log2, TEST.plot_layers)
    inventory = Inventory(rack, journal, KEY.public, shape)
    assert take_in(inventory, KEY, [disk]) == []
    assert inventory.rows() == []
    assert all(file.exists() for file in left)
    assert not ours.exists()


def test_a_folder_that_cannot_be_read_is_named_and_the_others_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "d").mkdir()
    rack = Rack(KEY, Journal(tmp_path / "m.sqlite"), floor=0)
    rack.open([tmp_path / "d"])
    [disk] = rack.disks
    for root in (bytes(32), b"\x11" * 32):
        shard_path(disk, root).parent.mkdir()
        shard_path(disk, root).write_bytes(b"a shard")
    broken, listed = disk.folder("shards") / "00", Path.iterdir

    def iterdir(place: Path) -> object:
        if place == broken:
            raise OSError(5, "Input/output error")
        return listed(place)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    found = found_in(disk, "shards")
    assert [file.name for file in found.ours] == ["11" * 32]
    assert found.unread == [f"{broken}: Input/output error"]


def test_a_wipe_deletes_ours_and_leaves_the_others(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    rack = Rack(KEY, Journal(tmp_path / "m.sqlite"), floor=0)
    rack.open([tmp_path / "d"])
    [disk] = rack.disks
    shard = shard_path(disk, bytes(32))
    shard.parent.mkdir()
    for ours in (shard, disk.folder("trash") / ("ab" * 32), disk.folder("plots") / "00000001.plot"):
        ours.write_bytes(b"four")
    left = litter(disk.folder("plots"))
    assert wipe(disk) == Wiped(files=3, bytes=12)
    assert all(file.exists() for file in left)
    assert [each.name for each in (tmp_path / "d" / "cybervein").iterdir()] == ["plots"]
