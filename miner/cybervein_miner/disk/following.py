"""Disks that are not where they were given are found by their markers at other places.

The journal keeps the path that was given (`home`): what lies there instead is not claimed. A copy
of a disk has its marker too, and is an older state of it: a disk is followed where the UUID of the
filesystem or the marker's imprint says that this is the original, or a person does.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

from cybervein_protocol.errors import ConflictError

from cybervein_miner.disk.disk import Disk
from cybervein_miner.disk.places import places_of, seen_at
from cybervein_miner.disk.roster import DiskRoster


class Following:
    """Looks at all homes, at the paths that were `given` at the start, and at mount points.

    Where a disk `hangs` is not looked at: whoever looks would hang with it.
    """

    def __init__(
        self,
        roster: DiskRoster,
        miner: bytes,
        mounts: Callable[[], list[Path]],
        hangs: Callable[[str], bool],
    ) -> None:
        self._roster, self._miner, self._mounts, self._hangs = roster, miner, mounts, hangs
        self.given: list[Path] = []

    def follow(self, *more: Path) -> list[Disk]:
        """Find disks that are lost at other places, by their markers; those that were found.

        `more` are places that a person names just now: what has the marker there is the disk.
        """
        lost = {d.id: d for d in self._roster.disks if d.lost and not self._hangs(d.id)}
        found = []
        for place in dict.fromkeys(self._places(lost.values(), more)):
            seen = seen_at(place, self._miner)
            disk = lost.get(seen.disk) if seen is not None else None
            if seen is None or disk is None or not disk.lost:
                continue
            proven = seen.same_filesystem or seen.imprint == disk.imprint
            if place not in {*more, disk.path} and not proven:
                _doubt(disk, place)
                continue
            disk.path = place
            disk.check()
            found.append(disk)
            if place in {*self.given, *more}:
                self._settle(disk)
        return found

    def _places(self, lost: Iterable[Disk], more: tuple[Path, ...]) -> list[Path]:
        """Where a lost disk may be."""
        homes = {disk.home: self._hangs(disk.id) for disk in self._roster.disks}
        lost = list(lost)
        if not lost:
            return []
        mounts = [mount for mount in self._mounts() if not homes.get(mount)]
        near = [place for disk in lost for place in places_of(disk.home, mounts)]
        places = [*homes, *self.given, *more, *near]
        return [place for place in places if not homes.get(place)]

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


def _doubt(disk: Disk, place: Path) -> None:
    """Say why a marker of the disk was not followed."""
    hint = f"; {place} has its marker too, perhaps a copy: "
    if hint not in disk.reason:
        disk.reason += (
            f"{hint}no UUID of a filesystem tells; if it is the disk itself, say "
            f"`cybervein disk add {place}`"
        )
