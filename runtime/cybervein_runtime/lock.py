"""One process at a time where two would damage each other: a lock file, and who holds it.

The lock is the kernel's (`flock`), so it ends with its holder, by kill -9 too; the file's text only
says who that is. A run file, a journal or a `.partial` file is touched by the holder alone.
"""

import errno
import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cybervein_protocol.errors import ConflictError, StorageError

_TEXT_BYTES_MAX: Final = 4096
_TRIES_MAX: Final = 100
"""Holders may remove the file one after the other; some filesystems make inode numbers up."""


@contextmanager
def alone(
    directory: Path, role: str, name: str = "lock", remedy: str = "stop it first"
) -> Iterator[None]:
    """Hold `directory/name` as `role` for the block, or for as long as the process lives.

    Raises ConflictError naming the holder, its process and since when; StorageError where the
    directory cannot be written.
    """
    path = directory / name
    try:
        directory.mkdir(parents=True, exist_ok=True)
        handle = hold(path, role, remedy)
    except FileExistsError as error:
        raise StorageError(f"{directory} is a file; give a directory") from error
    except OSError as error:
        raise StorageError(
            f"cannot lock {path}: {error.strerror}; give a directory that can be written"
        ) from error
    try:
        yield
    finally:
        os.close(handle)


@contextmanager
def alone_briefly(directory: Path, role: str, name: str, remedy: str) -> Iterator[None]:
    """`alone` for work that ends: its file goes with it, as there may be one for each name."""
    with alone(directory, role, name, remedy):
        try:
            yield
        finally:
            (directory / name).unlink(missing_ok=True)


def hold(path: Path, role: str, remedy: str, what: str = "data") -> int:
    """The descriptor that holds the lock file `path` until it is closed.

    It is open for reading alone where that can be locked, so that its filesystem may be made
    read-only meanwhile. `what` is that on which the holder runs. Raises ConflictError naming the
    holder, and OSError (EROFS where nothing can be written, ENOLCK and the like where the
    filesystem has no such locks).
    """
    for _ in range(_TRIES_MAX):
        handle = os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            _lock(path, handle)
            if _is_still(path, handle):
                _sign(path, role)
                return handle
        except BlockingIOError:
            holder, since = _told(handle)
            os.close(handle)
            raise ConflictError(
                f"{path.parent}: another {holder} is running on this {what}{since}; {remedy}"
            ) from None
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)  # its last holder removed it meanwhile: the lock is on no name any more
    raise OSError(errno.ENOLCK, "its filesystem shows another file each time", str(path))


def _lock(path: Path, handle: int) -> None:
    """Lock it; NFS does that for a descriptor that may write alone, and then it becomes one."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno != errno.EBADF:
            raise
        writing = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.dup2(writing, handle, inheritable=False)
        finally:
            os.close(writing)
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _is_still(path: Path, handle: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(handle))
    except FileNotFoundError:
        return False


def _sign(path: Path, role: str) -> None:
    since = datetime.now(UTC).isoformat(timespec="seconds")  # for people; nothing compares it
    text = json.dumps({"role": role, "pid": os.getpid(), "since": since}).encode()
    handle = os.open(path, os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC)
    try:
        os.write(handle, text + b"\n")
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise  # on a full disk it is held without a text
    finally:
        os.close(handle)


def _told(handle: int) -> tuple[str, str]:
    """Who holds it, and its process; its text may be missing in the moment of its start."""
    try:
        told = json.loads(os.pread(handle, _TEXT_BYTES_MAX, 0))
        return str(told["role"]), f" (process {told['pid']}, since {told['since']})"
    except (ValueError, LookupError, TypeError):
        return "process", ""
