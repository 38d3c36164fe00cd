"""Disks that are not where they were given are found by their markers at other places.

The journal keeps the path that was given (`home`): what lies there instead is not claimed.
"""

from collections.abc import Callable
from pathlib import Path

from cybervein_protocol.errors import ConflictError

from cybervein_miner.disk.disk import Disk
from cybervein_miner.disk.places import disk_at, places_of
from cybervein_miner.disk.roster import DiskRoster


class Following:
    """Looks at all homes, at the paths that were `given` at the start, and at mount points."""

    def __init__(self, roster: DiskRoster, miner: bytes, mounts: Callable[[], list[Path]]) -> None:
        self._roster, self._miner, self._mounts = roster, miner, mounts
        self.given: list[Path] = []

    def follow(self, *more: Path) -> list[Disk]:
        """Find disks that are lost at other places, by their markers; those that were found."""
        disks = self._roster.disks
        lost = {disk.id: disk for disk in disks if disk.lost}
        places = [*(disk.home for disk in disks), *self.given, *more] if lost else []
        mounts = self._mounts() if lost else []
        places += [place for disk in lost.values() for place in places_of(disk.home, mounts)]
        found = []
        for place in dict.fromkeys(places):
            disk = lost.get(disk_at(place, self._miner) or "")
            if disk is not None and disk.lost:
                disk.path = place
                disk.check()
                found.append(disk)
                if place in {*self.given, *more}:
                    self._settle(disk)
        return found

    def make_room_at(self, path: Path) -> None:
        """A path that a person gives is no longer the home of a disk that is elsewhere."""
        for disk in self._roster.disks:
            elsewhere = disk.home == path != disk.path
            if elsewhere and self._roster.at(path) is None and not self._settle(disk):
                raise ConflictError(
                    f"{path} is where disk {disk.id} belongs, which is at {disk.path} now, where "
                    "another disk belongs; exchange them back or give another path"
                )

    def _settle(self, disk: Disk) -> bool:
        """Keep where the disk is now as its home, unless that is another's; whether it is."""
        if disk.path in {other.home for other in self._roster.disks if other is not disk}:
            return False
        disk.home = disk.path
        self._roster.remember(disk)
        return True
