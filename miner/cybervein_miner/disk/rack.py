"""The rack: all disks of this miner, those that work and those that do not, and why.

A disk that was known and is not there (or is another's) is refused and named; the others work on.
A new path is claimed with a marker. A disk that is asked to leave takes nothing; it is `drained`
when nobody needs anything on it, and stays listed until it is wiped, added again or forgotten.
Forced, it is forgotten at once (what it held is then missing, and the audits will say so).
"""

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Final

from cybervein_protocol.errors import CyberVeinError, StorageError
from cybervein_protocol.signing import KeyPair

from cybervein_miner.disk.claiming import Claiming
from cybervein_miner.disk.disk import Disk
from cybervein_miner.disk.following import Following
from cybervein_miner.disk.given import looked_at, silent
from cybervein_miner.disk.limits import Limits
from cybervein_miner.disk.places import mount_points
from cybervein_miner.disk.roster import DiskRoster
from cybervein_miner.disk.threads import Lanes
from cybervein_miner.disk.unaccounted import Unaccounted
from cybervein_miner.record.journal import Journal

LOOK_SECONDS_MAX: Final = 10.0


class Rack:
    """The set of disks; `floor` overrides each disk's default free-space floor (bytes).

    `role` is what whoever else wants one of the disks is told; without it they are not locked.
    """

    def __init__(
        self,
        key: KeyPair,
        journal: Journal,
        floor: int | None = None,
        mounts: Callable[[], list[Path]] = mount_points,
        role: str = "",
    ) -> None:
        self._roster = roster = DiskRoster(key, journal, floor, role)
        self._lanes, self._paths, self._looking = Lanes("look at"), Lanes("look at path"), Lock()
        self._following = Following(roster, key.public, mounts, self._lanes.busy)
        self.unaccounted = Unaccounted(journal)
        self._claiming = Claiming(roster, self._following, key, self.unaccounted)
        self.follow, self.let_go = self._following.follow, roster.let_go
        self.get, self.forget = roster.get, roster.forget
        self.refused: dict[Path, CyberVeinError] = {}
        """Paths that were given and could not be claimed, and why."""

    @property
    def disks(self) -> list[Disk]:
        """All disks, by path."""
        return self._roster.disks

    def limit(self, limits: Limits) -> None:
        """Take no more of each disk than its limit from now on."""
        self._roster.limits = limits

    def open(self, paths: Iterable[Path]) -> list[str]:
        """Open the known disks, then claim the new `paths`; what was refused, in words.

        A bad disk never stops the others, nor the miner: what is refused is tried again and again.
        """
        given, paths = self._following.given, list(paths)
        looked = self._paths.run({str(p): partial(looked_at, p) for p in paths}, LOOK_SECONDS_MAX)
        for path in paths:
            match looked.get(str(path), silent(path, LOOK_SECONDS_MAX)):
                case CyberVeinError() as error:
                    self.refused[path] = error
                case place:
                    given.append(place)
        self._roster.recall()
        self._each(Disk.check)
        for path in given:
            if not self._roster.knows(path):
                try:
                    self.add(path)
                except CyberVeinError as error:
                    self.refused[path] = error
        return [*map(str, self.refused.values())] + [
            f"disk {d.path}: {d.refusal()}" for d in self.disks if not (d.readable or d.drained)
        ]

    def add(self, path: Path, *, as_new: bool = False) -> Disk:
        """Claim `path`, adopt our own marker there, or check a known disk again.

        Raises StorageError, ForbiddenError or ConflictError, naming it, where it cannot be used.
        """
        place = self._place(path)
        self._follow(place)
        disk = self._claiming.add(place, as_new=as_new)
        self.refused.pop(path, None)
        return disk

    def at(self, path: Path) -> Disk | None:
        """The disk known at that path: the one that is there before one that should be."""
        return self._roster.at(self._place(path))

    def _place(self, path: Path) -> Path:
        """The one path of a disk. Raises StorageError, too where nothing answers there."""
        with self._looking:  # a request and the upkeep may look at one path
            looked = self._paths.run({str(path): partial(looked_at, path)}, LOOK_SECONDS_MAX)
        place = looked.get(str(path), silent(path, LOOK_SECONDS_MAX))
        if isinstance(place, CyberVeinError):
            raise place
        return place

    def try_refused(self) -> list[Disk]:
        """Claim what was refused at the start, now that it may be right; what came in.

        A disk that is known there only did not answer: one that is leaving still leaves.
        """
        found = []
        for path in tuple(self.refused):
            try:
                if self._roster.knows(self._place(path)):
                    self.refused.pop(path, None)
                else:
                    found.append(self.add(path))
            except CyberVeinError as error:
                self.refused[path] = error
        return found

    def leave(self, disk: Disk) -> None:
        """Stop placing on `disk`, durably."""
        disk.leaving = not disk.drained
        self._roster.remember(disk)

    def give_up(self, disk: Disk) -> None:
        """Nobody needs anything on `disk` any more, durably."""
        disk.leaving, disk.drained = False, True
        disk.check()
        self._roster.remember(disk)

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
        before = {disk: disk.state for disk in self.disks}  # one that is added meanwhile has none
        self._each(Disk.still_there)
        return [disk for disk, state in before.items() if disk.state is not state]

    def _each(self, look: Callable[[Disk], None]) -> None:
        """Look at all disks side by side, then for those that are lost.

        What does not answer is left to its thread.
        """
        self._lanes.run({disk.id: partial(look, disk) for disk in self.disks}, LOOK_SECONDS_MAX)
        for disk in self.disks:
            if self._lanes.busy(disk.id) and not disk.there:
                disk.reason = str(silent(disk.path, LOOK_SECONDS_MAX))
        self._follow()
        self._roster.keep_imprints()

    def _follow(self, *more: Path) -> None:
        self._lanes.run({"follow": partial(self.follow, *more)}, LOOK_SECONDS_MAX)
