"""A miner's own disks; `host` has the block devices below them."""

from collections.abc import Iterable
from typing import Final

from cybervein_miner.sidecar.metric import MINER, Json, MetricSpec, Sample, each, gauge

DISK: Final = ("disk", "path")


def _disk(name: str, text: str, field: str) -> MetricSpec:
    return gauge(f"disk_{name}", MINER, text, each("disks", ("id", "path"), field), *DISK)


def _disk_states(document: Json) -> Iterable[Sample]:
    states = ("ready", "read-only", "quarantined", "missing", "foreign", "drained")
    return [
        ((disk["id"], disk["path"], state), float(disk["state"] == state))
        for disk in document.get("disks", [])
        for state in states
    ]


def _disk_no_room(document: Json) -> Iterable[Sample]:
    return [
        ((disk["id"], disk["path"], reason), float(disk["no_room"] == reason))
        for disk in document.get("disks", [])
        if "no_room" in disk
        for reason in ("full", "no inodes", "quota")
    ]


def _disk_late(document: Json) -> Iterable[Sample]:
    return [
        ((disk["id"], disk["path"]), float(bool(disk["late"])))
        for disk in document.get("disks", [])
        if "late" in disk
    ]


DISKS: Final = (
    gauge("disk_state", MINER, "1 for the state that a disk is in.", _disk_states,
          *DISK, "state"),
    _disk("capacity_bytes", "Size of the filesystem.", "capacity_bytes"),
    _disk("free_bytes", "Free bytes of the filesystem.", "free_bytes"),
    _disk("floor_bytes", "Bytes that the miner keeps free.", "floor_bytes"),
    _disk("available_bytes", "Free above the floor and not promised.", "available_bytes"),
    _disk("plots_bytes", "Bytes of plots.", "plot_bytes"),
    _disk("shards_bytes", "Bytes of shards.", "shard_bytes"),
    _disk("shards_bad", "Shards that failed verification.", "shards_bad"),
    _disk("leaving", "1 while the disk is being removed.", "leaving"),
    gauge("disk_remaining_bytes", MINER, "Bytes of shards that still keep a leaving disk.",
          each("disks", ("id", "path"), "remaining.bytes"), *DISK),
    gauge("disk_remaining_shards", MINER, "Shards that still keep a leaving disk.",
          each("disks", ("id", "path"), "remaining.shards"), *DISK),
    _disk("trash_bytes", "Bytes of deleted shards that wait.", "trash_bytes"),
    _disk("trash_stuck_bytes", "Bytes of deleted shards that cannot be removed.",
          "trash_stuck_bytes"),
    gauge("disk_no_room", MINER, "1 for the reason why the disk takes nothing more.",
          _disk_no_room, *DISK, "reason"),
    gauge("disk_late", MINER, "1 while the disk answers too late for proofs, or not at all.",
          _disk_late, *DISK),
    _disk("files_set_aside", "Files that cannot be read, while the rest can.", "files_set_aside"),
    _disk("io_errors", "I/O errors since the disk was last checked.", "io_errors"),
)  # fmt: skip
