"""One disk: its state, its space, and the guard around its I/O.

`leaving` (asked to be removed) and a full disk only stop placement. What an I/O error means for the
disk, `trouble` judges. While a call has not been answered in time (`calls`), the disk is asked
nothing more: it hangs, and whoever asks would hang with it.
"""

import errno
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from cybervein_protocol.api.disk_state import DiskState
from cybervein_protocol.errors import (
    CyberVeinError,
    ForbiddenError,
    StorageError,
    UnknownError,
)

from cybervein_miner.disk import trouble
from cybervein_miner.disk.calls import ANSWER_SECONDS, Call, Calls
from cybervein_miner.disk.device import filesystem_number
from cybervein_miner.disk.fullness import FULL, Fullness, without_files
from cybervein_miner.disk.gauge import NO_ROOM, Gauge, Room
from cybervein_miner.disk.marker import FOLDER, marker_path, read_marker
from cybervein_miner.disk.space import NONE, Reservation, Space, space_of
from cybervein_miner.disk.trouble import FailedFiles

_LOOK = "look at its marker"
FOLDERS = ("plots", "shards", "trash", "tmp")


@dataclass(eq=False, slots=True)
class Disk:
    """A directory given to the miner; `id` is the marker's, in hex.

    `path` is where it is, `home` where it was given to the miner, if that is another place now.
    """

    id: str
    path: Path
    miner: bytes
    floor: int | None = None
    state: DiskState = DiskState.MISSING
    reason: str = "not opened yet"
    leaving: bool = False
    drained: bool = False
    fullness: Fullness = field(default_factory=Fullness)
    failures: FailedFiles = field(default_factory=FailedFiles)
    home: Path = Path()
    beside: Callable[[], Sequence["Disk"]] = tuple
    """Other disks of this miner on the same filesystem: its space is there once, for all."""
    filesystem: int | None = None
    late: str = ""
    """What the last space proof had to do without, in words."""
    calls: Calls = field(default_factory=Calls)
    _reservations: list[Reservation] = field(default_factory=list)
    _gauge: Gauge = field(default_factory=Gauge)
    _seen: tuple[int, int] | None = None
    """Device and inode of the marker at the last check."""

    def __post_init__(self) -> None:
        self.home = self.path

    @property
    def io_errors(self) -> int:
        """Files that failed since the disk was last found well."""
        return len(self.failures.files)

    def folder(self, name: str) -> Path:
        """One of `plots`, `shards`, `trash`, `tmp`."""
        return self.path / FOLDER / name

    @property
    def readable(self) -> bool:
        """Whether what it holds can be served."""
        return self.there and not self.calls.overdue()

    @property
    def there(self) -> bool:
        """Whether this very disk was at its path when it was last looked at."""
        if self.state is DiskState.DRAINED:
            return not self.reason
        return self.state in {DiskState.READY, DiskState.READ_ONLY}

    @property
    def lateness(self) -> str:
        """How it keeps the miner waiting, in words; "" while it answers in time."""
        return self.calls.overdue() or (self.late if self.there else "")

    @property
    def stays(self) -> bool:
        """Whether it was not asked to leave."""
        return not (self.leaving or self.drained)

    @property
    def placeable(self) -> bool:
        """Whether something new may go there, space allowing."""
        works = self.state is DiskState.READY and self.stays and not self.calls.overdue()
        return works and not (self.fullness.kind and self.fullness.stands(self._gauged().space))

    @property
    def no_room(self) -> str:
        """`full`, `no inodes` or `quota` where it takes nothing more for that reason, else ""."""
        if self.state is not DiskState.READY or not self.readable:
            return ""
        space = self._gauged().space
        self.fullness.stands(space)
        return self.fullness.kind or without_files(space) or ("" if self._room() else FULL)

    def check(self) -> None:
        """Set state and reason from what is really there now."""
        try:
            with self.calls.under_way(_LOOK, ANSWER_SECONDS):
                self._seen = self._marker_now()  # what comes after this is seen next time
                self.filesystem = filesystem_number(self.path)
                self.check_marker()
                self._prepare()
        except (CyberVeinError, OSError) as error:
            self._refuse(error)
        if self.drained:
            self.state = DiskState.DRAINED

    def check_marker(self) -> None:
        """Raise unless this very disk is at its path."""
        marker = read_marker(self.path, self.miner)
        if marker.disk.hex() != self.id:
            raise ForbiddenError(f"{self.path} holds disk {marker.disk.hex()}, not {self.id}")

    def here(self) -> bool:
        """Whether this very disk can be used; asked before every use of it, as it costs one look.

        Another file, or another device, where its marker was: then everything is checked again.
        """
        if self.readable:
            with self.calls.under_way(_LOOK, ANSWER_SECONDS):
                changed = self._marker_now() != self._seen
            if changed:
                self.check()
        return self.readable

    def _marker_now(self) -> tuple[int, int] | None:
        try:
            stat = marker_path(self.path).stat()
        except OSError:
            return None
        return stat.st_dev, stat.st_ino

    @property
    def lost(self) -> bool:
        """Whether something else, or nothing, is at its path."""
        away = self.state in {DiskState.MISSING, DiskState.FOREIGN}
        return away or (self.drained and bool(self.reason))

    @property
    def pulled(self) -> bool:
        """Whether it was drained and another disk, or none, is at its path now."""
        try:
            self.check_marker()
        except (UnknownError, ForbiddenError):
            return self.drained
        except (CyberVeinError, OSError):
            return False
        return False

    def still_there(self) -> None:
        """A cheap look while running: a pulled cable or another mount changes the state.

        One that failed in use is let rest: its marker may well be read, and its next shard not.
        From time to time it is tried: it is back once it takes a write and what failed is read.
        """
        if self.state is DiskState.QUARANTINED and self.io_errors and not self._well_again():
            return
        self.check()

    def _well_again(self) -> bool:
        if not self.failures.due:
            return False
        with self.calls.under_way("try it again", None):
            if self._marker_now() is None or not self._takes_a_write():
                self.failures.wait()
                return False
            if not self.failures.mended():
                self.failures.wait()
                return False
        self.failures.files.clear()
        return True

    def _prepare(self) -> None:
        if os.statvfs(self.path).f_flag & os.ST_RDONLY:
            self.state, self.reason = DiskState.READ_ONLY, f"{self.path} is mounted read-only"
            return
        for name in FOLDERS:
            self.folder(name).mkdir(exist_ok=True)
        self.state, self.reason = DiskState.READY, ""

    def _refuse(self, error: CyberVeinError | OSError) -> None:
        self.reason = str(error)
        if isinstance(error, ForbiddenError):
            self.state = DiskState.FOREIGN
        elif isinstance(error, UnknownError | FileNotFoundError):
            self.state = DiskState.MISSING
            self.reason = f"{self.path} has no marker of disk {self.id}: is it mounted?"
        elif isinstance(error, OSError) and error.errno == errno.EROFS:
            self.state = DiskState.READ_ONLY
        else:
            self.state = DiskState.QUARANTINED

    def space(self) -> Space:
        """Capacity, free and floor, its part of the filesystem; zeros where it cannot be asked."""
        return self._gauged().space.part(self._sharers())

    def available(self, more: int = 0) -> int:
        """Bytes that may still be promised here, its part of what the filesystem has.

        `more` are bytes that would be free if they were given up (trash).
        """
        return self._room(more) // self._sharers()

    def _sharers(self) -> int:
        return 1 + sum(other.placeable for other in self.beside())

    def _room(self, more: int = 0) -> int:
        """Bytes that may still be promised: free, less the floor, less open reservations."""
        room = self._gauged()
        if without_files(room.space) and not more:
            return 0
        return max(0, room.space.free + more - room.space.floor - room.promised)

    def _gauged(self) -> Room:
        return self._gauge.read(self._ask) if self.readable else NO_ROOM

    def _ask(self) -> Room:
        with self.calls.under_way("ask for its free space", ANSWER_SECONDS):
            # In this order what is written meanwhile counts twice, the other way round not at all.
            promised = sum(map(Disk.promised, (self, *self.beside())))
            return Room(space_of(self.path, self.floor) if self.here() else NONE, promised)

    def promised(self) -> int:
        """Bytes that are promised and not written yet."""
        return sum(each.outstanding() for each in tuple(self._reservations))

    def reserve(self, size: int, file: Path) -> Reservation:
        """Promise `size` bytes to `file`. Raises StorageError; `release` it afterwards."""
        available = self._room()
        if not self.placeable:
            raise StorageError(f"disk {self.path}: {self.refusal()}")
        if size > available:
            raise StorageError(
                f"disk {self.path}: {size} bytes do not fit, {available} are free above the floor "
                f"of {self._gauged().space.floor}; add a disk or lower the floor"
            )
        reservation = Reservation(size, file)
        self._reservations.append(reservation)
        return reservation

    def release(self, reservation: Reservation) -> None:
        """End a reservation; a second time changes nothing."""
        with suppress(ValueError):
            self._reservations.remove(reservation)

    def refusal(self) -> str:
        """Why nothing is placed here."""
        if overdue := self.calls.overdue():
            return overdue
        if self.state is not DiskState.READY:
            return f"{self.state.value} ({self.reason})"
        if not self.stays:
            return "it is being removed"
        if self.no_room in {"", FULL} and not self.fullness.kind:
            return "it has no space above its floor"
        return f"its filesystem takes nothing more: {self.no_room}"

    @contextmanager
    def guard(self, doing: str, seconds: float | None = ANSWER_SECONDS) -> Iterator[Call]:
        """Run disk I/O: an OSError changes this disk's state and comes out as StorageError.

        It may take `seconds` between two beats of what is yielded (None: any time); while it takes
        longer, the disk counts as one that hangs.
        """
        if not self.here():
            raise StorageError(f"disk {self.path}: {self.refusal()}; cannot {doing}")
        place = self.path
        try:
            with self.calls.under_way(doing, seconds) as call:
                yield call
        except InterruptedError:
            raise  # our own trouble: not the disk's
        except FileNotFoundError as error:
            self.check()
            if self.readable and self._was_looked_for_here(error, place):
                raise  # the file's own trouble
            why = f"it was followed from {place}" if self.readable else self.refusal()
            raise StorageError(f"disk {self.path}: {why}; cannot {doing}, try again") from error
        except OSError as error:
            self._note(error, doing)
            raise StorageError(
                f"disk {self.path}: cannot {doing}: {error.strerror or error}"
            ) from error

    def _was_looked_for_here(self, error: FileNotFoundError, place: Path) -> bool:
        """Whether the path that does not exist is this disk's, and not where it was before."""
        named = isinstance(error.filename, str | os.PathLike)
        return self.path == place and (not named or Path(error.filename).is_relative_to(place))

    def _note(self, error: OSError, doing: str) -> None:
        if error.errno in trouble.FULL:
            self.fullness.refused(error, self._gauged().space)
        files = self.failures.add(error, doing)
        state = trouble.judge(error, files, self._takes_a_write)
        if state is DiskState.READ_ONLY:
            self.state, self.reason = DiskState.READ_ONLY, f"{self.path} became read-only"
        elif state is DiskState.QUARANTINED and self.state is not DiskState.QUARANTINED:
            self.failures.files.add(doing)  # what may not be written at all is counted too
            self.failures.wait()
            self.quarantine(f"{files} files with I/O errors, last: {error.strerror}: {doing}")

    def _takes_a_write(self) -> bool:
        return trouble.takes_a_write(self.folder("tmp") / "probe", self.miner)

    def quarantine(self, reason: str) -> None:
        """Take this disk out of service until it is well again, or `disk add` has it checked."""
        self.state, self.reason = DiskState.QUARANTINED, reason
