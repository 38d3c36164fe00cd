"""One process at a time on a disk: two data directories may name the same one.

The second of them would take the first's files in the making for what a crash left. The kernel's
lock on `cybervein/lock` keeps it away, whatever else the two share. It also keeps the filesystem
busy for `umount`, so it is held while the disk is in use and not a moment longer. Where nothing can
be written, or the filesystem has no such locks, the disk is used without, and the log says so.
"""

import errno
import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

import structlog
from cybervein_protocol.errors import ConflictError
from cybervein_runtime.lock import hold

from cybervein_miner.disk.marker import FOLDER, marker_path

NAME: Final = "lock"
_REMEDY: Final = "stop it first, or give each its own disks"
_UNWRITABLE: Final = {errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOSPC, errno.EDQUOT}
_NO_LOCKS: Final = {errno.EBADF, errno.EINVAL, errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}
_log = structlog.get_logger()


def disk_around(folder: Path) -> Path | None:
    """The disk of any miner that a folder is or lies in."""
    return next((p for p in (folder, *folder.parents) if marker_path(p).exists()), None)


def lock_path(path: Path) -> Path:
    """Where the lock of the disk at `path` lies."""
    return path / FOLDER / NAME


class DiskLock:
    """One lock for `role`, which is told to whoever else wants it; "" locks nothing."""

    def __init__(self, role: str = "") -> None:
        self._role = role
        self._handle: int | None = None
        self._over = False
        self._said = ""
        self._taking = threading.Lock()  # its disk is looked at from several threads
        self._changing = threading.Lock()  # never held while the disk is asked: it may hang
        self.elsewhere = False
        """Whether another process holds what was wanted last."""

    def take(self, path: Path) -> None:
        """Hold the lock of the disk at `path`, and no other one; again and again if you like.

        Raises ConflictError, naming the process that holds it, or OSError.
        """
        self.take_file(lock_path(path), "disk", _REMEDY)

    def take_file(self, file: Path, what: str, remedy: str) -> None:
        """The same with any lock file; `what` it is the lock of."""
        if self._role:
            with self._taking:  # a second one at once would meet our own lock and call it another's
                self._take(file, what, remedy)

    def let_go(self) -> None:
        """Hold nothing; a second time changes nothing."""
        with self._changing:  # closed twice, it would be another's descriptor
            handle, self._handle = self._handle, None
        if handle is not None:
            os.close(handle)

    def end(self) -> None:
        """Hold nothing, and never again: a look that hung may still come back and want it."""
        with self._changing:
            self._over = True
        self.let_go()

    def _take(self, file: Path, what: str, remedy: str) -> None:
        if self._over or self._holds(file):
            return
        self.let_go()
        self.elsewhere = False
        try:
            self._keep(hold(file, self._role, remedy, what))
        except ConflictError:
            self.elsewhere = True
            raise
        except OSError as error:
            if error.errno not in _UNWRITABLE | _NO_LOCKS:
                raise
            self._tell(file.parent, what, error)

    def _keep(self, handle: int) -> None:
        with self._changing:
            if not self._over:
                self._handle = handle
                return
        os.close(handle)

    def _holds(self, file: Path) -> bool:
        """Whether what is held is that very file: the disk may be at another place by now."""
        handle = self._handle
        if handle is None:
            return False
        with suppress(OSError):
            return os.path.samestat(file.stat(), os.fstat(handle))
        return False

    def _tell(self, folder: Path, what: str, error: OSError) -> None:
        reason = error.strerror or str(error)
        if self._said != reason:
            self._said = reason
            _log.warning(
                "used without a lock; see that no other process uses it",
                what=what,
                path=str(folder),
                reason=reason,
            )
