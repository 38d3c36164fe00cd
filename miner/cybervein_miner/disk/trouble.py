"""What an I/O error says about its disk: nothing, that it is read-only now, or that it is dying.

The disk is tried with a small synced write: a dead device is quarantined at once, a bad sector
costs its file alone until several files have one. 20 TB do not leave for 4 KiB, and not for one
file that fails again and again: files are counted, not tries. An error that is about the file
(it may not be removed, a directory is in its place) or about us (too many open files) says nothing
of the device, as long as the disk takes a write.

A quarantine ends by a test (`read_test`): the disk is tried after a minute, and after twice as long
each time, with its marker, a write, and by reading. Files that still fail are given up, if the rest
reads well.
"""

import errno
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cybervein_protocol.api.disk_state import DiskState
from cybervein_runtime.reasons import FULL

from cybervein_miner.disk.read_test import DEAD, ReadTest

FILES_MAX: Final = 3
PROBE_SECONDS_MIN: Final = 60.0
PROBE_SECONDS_MAX: Final = 3600.0
_REMEMBERED_MAX: Final = 64
_OURS: Final = frozenset({errno.EBADF, errno.EMFILE, errno.ENFILE, errno.ENOMEM})
"""EBADF: an upload was given up while its thread still wrote or synced."""
_OF_THE_FILE: Final = frozenset(
    {errno.EPERM, errno.EACCES, errno.EISDIR, errno.ENOTDIR, errno.ENOTEMPTY, errno.EEXIST,
     errno.ELOOP, errno.ENAMETOOLONG, errno.EBUSY, errno.ETXTBSY, errno.EINVAL, errno.ESPIPE}
)  # fmt: skip


def judge(error: OSError, files: int, takes_a_write: Callable[[], bool]) -> DiskState | None:
    """The state that the disk is in now, None: as before; `files` have failed, this one included.

    A full disk is no trouble of the device's.
    """
    if error.errno in FULL | _OURS:
        return None
    if error.errno == errno.EROFS:
        return DiskState.READ_ONLY
    several = files >= FILES_MAX and error.errno not in _OF_THE_FILE
    if error.errno in DEAD or several or not takes_a_write():
        return DiskState.QUARANTINED
    return None


def counts(error: OSError) -> bool:
    """Whether an error is one of the device's, as far as can be told."""
    return error.errno not in FULL | _OURS | _OF_THE_FILE | {errno.EROFS}


def says_of_file(error: BaseException | None) -> bool:
    """Whether what kept a file from being read says that its bytes are lost.

    Too many open files, or no memory, are ours and pass.
    """
    return isinstance(error, OSError) and error.errno not in _OURS


@dataclass(eq=False, slots=True)
class FailedFiles:
    """Files of a disk that failed, and when a quarantined disk is tried again."""

    clock: Callable[[], float] = time.monotonic
    files: set[str] = field(default_factory=set)
    given_up: frozenset[str] = frozenset()
    """What alone could not be read when everything else could; no news when it fails again."""
    _pause: float = PROBE_SECONDS_MIN
    _next: float = 0.0

    def add(self, error: OSError, doing: str) -> int:
        """Count the error's file, or what was done where it names none; how many there are."""
        if counts(error) and len(self.files) < _REMEMBERED_MAX:
            name = error.filename
            named = isinstance(name, str | bytes | os.PathLike)
            self.files |= {os.fsdecode(name) if named else doing} - self.given_up
        return len(self.files)

    def wait(self) -> None:
        """A quarantine began, or a try failed: the next one is after a longer pause."""
        self._next = self.clock() + self._pause
        self._pause = min(2 * self._pause, PROBE_SECONDS_MAX)

    @property
    def due(self) -> bool:
        """Whether the disk is to be tried again."""
        return self.clock() >= self._next

    def tested(self, test: ReadTest) -> None:
        """What a test found: the disk begins anew, or what has failed is known better."""
        if test.passed:
            self.files -= test.tried
            self.given_up = test.unreadable
        else:
            self.files |= test.sampled_bad


def takes_a_write(probe: Path, data: bytes) -> bool:
    """Whether a small write reaches the device; a read could come from the cache."""
    try:
        handle = os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.write(handle, data)
            os.fsync(handle)
        finally:
            os.close(handle)
        probe.unlink()
    except OSError as error:
        return error.errno in FULL or error.errno == errno.EROFS
    return True
