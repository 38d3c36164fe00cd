"""What `disk list` tells a person at 80 columns."""

from cybervein_miner.cli.disk import disk_text
from cybervein_protocol.api.disk_state import DiskState
from cybervein_protocol.api.miner.disks import DiskDocument, RemainingWork
from documents import made

ID = "0123456789abcdef" * 2


def test_a_disk_has_its_whole_id_and_stays_within_80_columns() -> None:
    left = RemainingWork(plots=1, shards=12345, bytes=0)
    disk = made(
        DiskDocument,
        id=ID,
        path="/mnt/disk",
        state=DiskState.QUARANTINED,
        reason="reading failed 3 times, the last time at shard 17 (input/output error); " * 3,
        leaving=True,
        capacity_bytes=16 << 40,
        available_bytes=1 << 40,
        plots=1,
        shards=98765,
        remaining=left,
    )
    lines = disk_text(disk).splitlines()
    assert lines[0] == "/mnt/disk"
    assert lines[1] == "  quarantined, 1.00 TiB of 16.00 TiB available, 1 plot, 98765 shards"
    assert lines[2:4] == ["  leaving: 1 plot, 12345 shards left", f"  id {ID}"]
    assert lines[4].startswith("  why: reading failed 3 times")
    assert all(len(line) <= 80 for line in lines)


def test_a_small_disk_is_told_in_a_unit_that_shows_it() -> None:
    disk = made(DiskDocument, path="/mnt/disk", capacity_bytes=64 << 20, available_bytes=5 << 20)
    assert "5.0 MiB of 64.0 MiB available" in disk_text(disk)
