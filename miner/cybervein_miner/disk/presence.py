"""Whether a disk is at its path: its marker says so, and is looked at before every use.

While a call has not been answered in time (`calls`), the disk is asked nothing more: it hangs, and
whoever asks would hang with it.
"""

import errno
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cybervein_protocol.api.disk_state import DiskState
from cybervein_protocol.errors import CyberVeinError, ForbiddenError, UnknownError

from cybervein_miner.disk.calls import ANSWER_SECONDS, Calls
from cybervein_miner.disk.device import filesystem_number
from cybervein_miner.disk.lock import DiskLock
from cybervein_miner.disk.marker import FOLDER, imprint_of, marker_path, read_marker

FOLDERS: Final = ("plots", "shards", "trash", "tmp")
_LOOK: Final = "look at its marker"


@dataclass(eq=False, slots=True)
class Presence:
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
    home: Path = Path()
    filesystem: int | None = None
    calls: Calls = field(default_factory=Calls)
    lock: DiskLock = field(default_factory=DiskLock)
    imprint: int | None = None
    """Of its marker when it was last read: what tells the disk from a copy of it."""
    _seen: tuple[int, int] | None = None
    """Device and inode of the marker at the last check."""

    def __post_init__(self) -> None:
        self.home = self.path

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
    def stays(self) -> bool:
        """Whether it was not asked to leave."""
        return not (self.leaving or self.drained)

    def check(self) -> None:
        """Set state and reason from what is really there now."""
        try:
            with self.calls.under_way(_LOOK, ANSWER_SECONDS):
                self._seen = self._marker_now()  # what comes after this is seen next time
                self.filesystem = filesystem_number(self.path)
                self.check_marker()
                self.imprint = imprint_of(self.path)
                if not self.drained:  # it may be taken out: nothing is to hold it
                    self.lock.take(self.path)
                self._prepare()
        except (CyberVeinError, OSError) as error:
            self._refuse(error)
        if self.drained:
            self.state = DiskState.DRAINED
        if self.state not in {DiskState.READY, DiskState.READ_ONLY}:
            self.lock.let_go()  # it keeps the filesystem from being unmounted

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
