"""Bytes of a disk: what there is, what is free, what stays free, and what was promised."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FLOOR_PER_MILLE: Final = 10
FLOOR_BYTES_MAX: Final = 10 << 30
FILES_MIN: Final = 8
"""A plot is three files, a shard two; with fewer left, none is begun."""
_BLOCK_BYTES: Final = 512


@dataclass(frozen=True, slots=True)
class Space:
    """Bytes of a filesystem: all that may be ours, free to us, and the floor that stays free.

    Blocks that are reserved for root are neither. `files` is how many more can be created (inodes),
    None where the filesystem has no such limit.
    """

    capacity: int
    free: int
    floor: int
    files: int | None = None

    def part(self, sharers: int) -> "Space":
        """One of `sharers` equal parts."""
        capacity, free, floor = self.capacity, self.free, self.floor
        return Space(capacity // sharers, free // sharers, floor // sharers, self.files)

    def within(self, size: int, used: int, floor: int) -> "Space":
        """As much of it as `size` allows, of which so much is used; `floor` is that size's.

        Both floors hold: what is free above the floor is the smaller of the two.
        """
        free = max(0, min(self.free, size - used))
        room = max(0, min(self.free - self.floor, size - used - floor))
        return Space(min(self.capacity, size), free, max(0, free - room), self.files)


NONE: Final = Space(0, 0, 0)


def space_of(path: Path, floor: int | None) -> Space:
    """The filesystem at `path`; the default floor is one per cent, at most 10 GiB."""
    try:
        stat = os.statvfs(path)
    except OSError:
        return NONE
    reserved = stat.f_bfree - stat.f_bavail
    capacity = (stat.f_blocks - reserved) * stat.f_frsize
    files = stat.f_favail if stat.f_files else None
    return Space(capacity, stat.f_bavail * stat.f_frsize, usual_floor(capacity, floor), files)


def usual_floor(capacity: int, floor: int | None) -> int:
    """What stays free of so many bytes: one per cent, at most 10 GiB, unless somebody said."""
    return min(capacity * FLOOR_PER_MILLE // 1000, FLOOR_BYTES_MAX) if floor is None else floor


@dataclass(eq=False, slots=True)
class Reservation:
    """Bytes promised to a file that is being written; what it already occupies is not counted."""

    size: int
    file: Path

    def outstanding(self) -> int:
        """Bytes still to come."""
        try:
            return max(0, self.size - self.file.stat().st_blocks * _BLOCK_BYTES)
        except OSError:
            return self.size
