"""The rack: all disks of this miner, those that work and those that do not, and why.

A disk that was known and is not there (or is another's) is refused and named; the others work on.
A new path is claimed with a marker. A disk that is asked to leave takes nothing; it is `drained`
when nobody needs anything on it, and stays listed until it is wiped, added again or forgotten.
Forced, it is forgotten at once (what it held is then missing, and the audits will say so).
"""

import sqlite3
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from cybervein_protocol.api.disk_state import DiskState
from cybervein_protocol.errors import ConflictError, CyberVeinError, StorageError, UnknownError
from cybervein_protocol.signing import KeyPair

from cybervein_miner.disk.disk import Disk
from cybervein_miner.disk.given import is_folder, place_of
from cybervein_miner.disk.marker import create_marker, read_marker
from cybervein_miner.disk.places import disk_at, mount_points, places_of, require_apart
from cybervein_miner.disk.threads import Lanes
from cybervein_miner.disk.trouble import FailedFiles
from cybervein_miner.record.journal import Journal

DISKS_MAX = 1024
LOOK_SECONDS_MAX = 10.0
_STAYS, _LEAVES, _DRAINED = 0, 1, 2


class Rack:
    """The set of disks; `floor` overrides each disk's default free-space floor (bytes)."""

    def __init__(
        self,
        key: KeyPair,
        journal: Journal,
        floor: int | None = None,
        clock: Callable[[], float] = time.time,
        mounts: Callable[[], list[Path]] = mount_points,
    ) -> None:
        self._key, self._journal, self._floor, self._clock = key, journal, floor, clock
        self._disks: dict[str, Disk] = {}
        self._mounts = mounts
        self._given: list[Path] = []
        self._lanes = Lanes("look at")
        self.refused: dict[Path, CyberVeinError] = {}
        """Paths that were given and could not be claimed, and why."""

    @property
    def disks(self) -> list[Disk]:
        """All disks, by path."""
        return sorted(self._disks.values(), key=lambda disk: str(disk.path))

    def open(self, paths: Iterable[Path]) -> list[str]:
        """Open the known disks, then claim the new `paths`; what was refused, in words.

        A bad disk never stops the others, nor the miner: what is refused is tried again and again.
        """
        refused = []
        for path in paths:
            try:
                self._given.append(place_of(path))
            except CyberVeinError as error:
                self.refused[path] = error
                refused.append(str(error))
        for disk_id, path, leaving in self._journal.read("SELECT id, path, leaving FROM disk"):
            self._known(disk_id.hex(), Path(path), leaving)
        self._each(Disk.check)
        for path in self._given:
            if path not in {place for each in self.disks for place in (each.path, each.home)}:
                try:
                    self.add(path)
                except CyberVeinError as error:
                    self.refused[path] = error
                    refused.append(str(error))
        return refused + [
            f"disk {d.path}: {d.refusal()}" for d in self.disks if not (d.readable or d.drained)
        ]

    def add(self, path: Path) -> Disk:
        """Claim `path`, adopt our own marker there, or check a known disk again.

        Where a drained disk was pulled, what is there now takes its place.
        Raises StorageError or ForbiddenError, naming the path, where it cannot be used.
        """
        given, path = path, place_of(path)
        self.follow(path)
        before = self.at(path)
        self._make_room_at(path)
        if before is not None and not before.pulled:
            return self._again(before)
        if len(self._disks) >= DISKS_MAX:
            raise StorageError(f"{path}: this miner has {DISKS_MAX} disks already")
        disk = self._claim(path)
        disk.check()
        if not disk.readable:
            del self._disks[disk.id]
            raise StorageError(f"disk {path} cannot be used: {disk.reason}")
        self._remember(disk)
        if before is not None:
            del self._disks[before.id]  # a path has one row in the journal: it is the new disk's
        self.refused.pop(given, None)
        return disk

    def at(self, path: Path) -> Disk | None:
        """The disk known at that path: the one that is there before one that should be."""
        path = place_of(path)
        there = [disk for disk in self._disks.values() if disk.path == path]
        return min(there, key=lambda disk: disk.lost, default=None)

    def follow(self, *more: Path) -> list[Disk]:
        """Find disks that are lost at other places, by their markers; those that were found.

        The journal keeps the path that was given (`home`): what lies there instead is not claimed.
        """
        lost = {disk.id: disk for disk in self.disks if disk.lost}
        places = [*(disk.home for disk in self.disks), *self._given, *more] if lost else []
        mounts = self._mounts() if lost else []
        places += [place for disk in lost.values() for place in places_of(disk.home, mounts)]
        found = []
        for place in dict.fromkeys(places):
            disk = lost.get(disk_at(place, self._key.public) or "")
            if disk is not None and disk.lost:
                disk.path = place
                disk.check()
                found.append(disk)
                if place in {*self._given, *more}:
                    self._settle(disk)
        return found

    def _settle(self, disk: Disk) -> bool:
        """Keep where the disk is now as its home, unless that is another's; whether it is."""
        if disk.path in {other.home for other in self._disks.values() if other is not disk}:
            return False
        disk.home = disk.path
        self._remember(disk)
        return True

    def _make_room_at(self, path: Path) -> None:
        """A path that a person gives is no longer the home of a disk that is elsewhere."""
        for disk in self.disks:
            if disk.home == path != disk.path and self.at(path) is None and not self._settle(disk):
                raise ConflictError(
                    f"{path} is where disk {disk.id} belongs, which is at {disk.path} now, where "
                    "another disk belongs; exchange them back or give another path"
                )

    def try_refused(self) -> list[Disk]:
        """Claim what was refused at the start, now that it may be right; what came in."""
        found = []
        for path in tuple(self.refused):
            try:
                found.append(self.add(path))
            except CyberVeinError as error:
                self.refused[path] = error
        return found

    def _again(self, disk: Disk) -> Disk:
        disk.leaving, disk.drained, disk.failures = False, False, FailedFiles()
        disk.check()
        self._remember(disk)
        if not disk.readable:
            raise StorageError(f"disk {disk.path}: {disk.refusal()}{self._instead(disk)}")
        return disk

    def _instead(self, disk: Disk) -> str:
        """What to do where another disk of ours is: a mount point was claimed without its mount."""
        there = disk_at(disk.path, self._key.public)
        if there is None or there in self._disks:
            return ""
        return (
            "; if it is never to come back, give it up with `cybervein disk remove "
            f"{disk.id} --force`, then add what is there now"
        )

    def _claim(self, path: Path) -> Disk:
        if not is_folder(path):
            raise StorageError(f"{path} is not a directory; mount the disk and create it first")
        require_apart(path, self.disks)
        try:
            marker = read_marker(path, self._key.public)
        except UnknownError:
            try:
                now = int(self._clock())  # a note for people; nothing compares it
                marker = create_marker(path, self._key, now)
            except OSError as error:
                raise StorageError(f"cannot claim {path}: {error.strerror}") from error
        if moved := self._disks.get(marker.disk.hex()):
            return self._moved(moved, path)
        return self._known(marker.disk.hex(), path, _STAYS)

    @staticmethod
    def _moved(disk: Disk, path: Path) -> Disk:
        """A known disk under a new path, unless it is still readable under the old one."""
        if disk.state in {DiskState.READY, DiskState.READ_ONLY}:
            raise ConflictError(f"{path} is disk {disk.id}, already in use at {disk.path}")
        disk.path = disk.home = path
        disk.leaving = disk.drained = False
        return disk

    def _known(self, disk_id: str, path: Path, leaving: int) -> Disk:
        disk = Disk(
            disk_id,
            path,
            self._key.public,
            self._floor,
            leaving=leaving == _LEAVES,
            drained=leaving == _DRAINED,
        )
        disk.beside = partial(self._beside, disk)
        self._disks[disk_id] = disk
        return disk

    def _beside(self, disk: Disk) -> list[Disk]:
        """Other disks on the same filesystem that can be used."""
        shared = [each for each in self.disks if each.filesystem == disk.filesystem]
        return [other for other in shared if other is not disk and other.readable]

    def _remember(self, disk: Disk) -> None:
        leaving = _DRAINED if disk.drained else _LEAVES if disk.leaving else _STAYS
        row = (bytes.fromhex(disk.id), str(disk.home), leaving)

        def work(connection: sqlite3.Connection) -> None:
            connection.execute("INSERT OR REPLACE INTO disk VALUES (?, ?, ?)", row)

        self._journal.write_now(work)

    def get(self, disk_id: str) -> Disk:
        """The disk of that id. Raises UnknownError."""
        try:
            return self._disks[disk_id]
        except KeyError:
            raise UnknownError(f"disk {disk_id[:64]!r}: not a disk of this miner") from None

    def leave(self, disk: Disk) -> None:
        """Stop placing on `disk`, durably."""
        disk.leaving = not disk.drained
        self._remember(disk)

    def give_up(self, disk: Disk) -> None:
        """Nobody needs anything on `disk` any more, durably."""
        disk.leaving, disk.drained = False, True
        disk.check()
        self._remember(disk)

    def forget(self, disk: Disk) -> None:
        """Drop `disk` from the set; its files and marker stay as they are."""
        disk_id = bytes.fromhex(disk.id)
        self._journal.write_now(
            lambda connection: connection.execute("DELETE FROM disk WHERE id = ?", (disk_id,))
        )
        self._disks.pop(disk.id, None)

    def choose(self, size: int) -> Disk:
        """Where `size` bytes go: the disk with most space. Raises StorageError with all reasons."""
        best = max(
            (disk for disk in self.disks if disk.placeable),
            key=Disk.available,
            default=None,
        )
        if best is not None and best.available() >= size:
            return best
        reasons = "; ".join(f"{disk.path}: {self._why(disk)}" for disk in self.disks)
        raise StorageError(f"no disk takes {size} bytes ({reasons or 'no disks'}); add a disk")

    @staticmethod
    def _why(disk: Disk) -> str:
        return f"{disk.available()} free above floor" if disk.placeable else disk.refusal()

    def look(self) -> list[Disk]:
        """Check all disks; those whose state changed."""
        before = {disk.id: disk.state for disk in self.disks}
        self._each(Disk.still_there)
        return [disk for disk in self.disks if disk.state is not before[disk.id]]

    def _each(self, look: Callable[[Disk], None]) -> None:
        """Look at all disks side by side, then for those that are lost.

        What does not answer is left to its thread.
        """
        self._lanes.run({disk.id: partial(look, disk) for disk in self.disks}, LOOK_SECONDS_MAX)
        self._lanes.run({"follow": self.follow}, LOOK_SECONDS_MAX)
