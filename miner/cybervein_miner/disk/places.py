"""Where disks may be: at another path than theirs, and never within one another.

A drive that is plugged into another bay, or two entries of fstab exchanged, make another directory
of the same disk. Its marker says which disk it is, so it is followed instead of refused.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cybervein_protocol.errors import ConflictError, CyberVeinError

from cybervein_miner.disk.device import device_of, filesystem_number
from cybervein_miner.disk.disk import Disk
from cybervein_miner.disk.marker import imprint_of, marker_path, read_marker

_MOUNTS: Final = Path("/proc/self/mountinfo")
_LOCAL: Final = frozenset(
    {"bcachefs", "btrfs", "exfat", "ext2", "ext3", "ext4", "f2fs", "fuseblk", "hfsplus", "jfs"}
    | {"ntfs3", "tmpfs", "udf", "vfat", "xfs", "zfs"}
)
"""Only filesystems of this machine: a network mount may never answer."""
_DEPTH_MAX: Final = 2
"""Folders between a mount point and the disk that was given, at most."""


def mount_points() -> list[Path]:
    """Where local filesystems are mounted to be written; none where the kernel does not tell."""
    try:
        lines = _MOUNTS.read_text(errors="surrogateescape").splitlines()
    except OSError:
        return []
    return [point for line in lines if (point := _local_point(line)) is not None]


def _local_point(line: str) -> Path | None:
    fields, _, tail = line.partition(" - ")
    if not tail or tail.split()[0] not in _LOCAL:
        return None
    if "ro" in fields.split()[5].split(","):
        return None  # a snapshot or a backup that a person looks at: an older state of the disk
    name = os.fsencode(fields.split()[4])  # a blank is written as \040
    return Path(os.fsdecode(name.decode("unicode_escape").encode("latin-1")))


def places_of(home: Path, mounts: Iterable[Path]) -> Iterator[Path]:
    """Directories that may be the one that was given as `home`, below other mount points."""
    for mount in mounts:
        for depth in range(min(_DEPTH_MAX, len(home.parts) - 1) + 1):
            yield mount.joinpath(*home.parts[len(home.parts) - depth :])


@dataclass(frozen=True, slots=True)
class MarkerSeen:
    """A marker of this miner at a place: its disk, and whether its filesystem's UUID is this one's.

    `imprint` is for where no UUID is known: then a copy of the marker is told by that alone.
    """

    disk: str
    same_filesystem: bool
    imprint: int


def seen_at(place: Path, miner: bytes) -> MarkerSeen | None:
    """This miner's disk at a place; None where there is none that can be used."""
    try:
        if not marker_path(place).is_file():
            return None
        marker, here = read_marker(place, miner), device_of(place).filesystem
        same = bool(here) and marker.filesystem == here
        return MarkerSeen(marker.disk.hex(), same, imprint_of(place))
    except (CyberVeinError, OSError):
        return None


def require_apart(path: Path, disks: Iterable[Disk]) -> None:
    """Raise ConflictError for a directory within a disk, or around one, on its filesystem."""
    for disk in disks:
        inside, around = disk.path in path.parents, path in disk.path.parents
        if (inside or around) and disk.readable and filesystem_number(path) == disk.filesystem:
            raise ConflictError(
                f"{path} {'lies inside' if inside else 'is around'} disk {disk.path} and is on its "
                "filesystem, whose space would be counted twice; give a directory on a filesystem "
                "of its own"
            )
