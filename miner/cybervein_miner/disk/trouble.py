"""What an I/O error says about its disk: nothing, that it is read-only now, or that it is dying.

The disk is tried with a small synced write: a dead device is quarantined at once, a bad sector
costs its file alone until there are several. 20 TB do not leave for 4 KiB.
"""

import errno
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cybervein_protocol.api.disk_state import DiskState

IO_ERRORS_MAX: Final = 3
_DEAD: Final = frozenset(
    {errno.ENXIO, errno.ENODEV, errno.ESTALE, errno.EREMOTEIO, errno.ENOTCONN, errno.ESHUTDOWN}
)
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """I/O errors so far, and the state that the disk is in now; None leaves it as it was."""

    io_errors: int
    state: DiskState | None


def judge(error: OSError, io_errors: int, takes_a_write: Callable[[], bool]) -> Diagnosis:
    """After `io_errors` earlier ones; a full disk is no trouble of the device's."""
    if error.errno in _FULL:
        return Diagnosis(io_errors, None)
    if error.errno == errno.EROFS:
        return Diagnosis(io_errors, DiskState.READ_ONLY)
    count = io_errors + 1
    if error.errno in _DEAD or count >= IO_ERRORS_MAX or not takes_a_write():
        return Diagnosis(count, DiskState.QUARANTINED)
    return Diagnosis(count, None)


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
        return error.errno in _FULL or error.errno == errno.EROFS
    return True
