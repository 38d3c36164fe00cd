"""Files that survive a crash: temporary name, sync, rename, sync of the directory."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from cybervein_protocol.errors import LimitError, StorageError, UnknownError

from cybervein_runtime.reasons import refused_file

SECRET_MODE = 0o600


def sync_directory(directory: Path) -> None:
    """Make a rename or an unlink inside `directory` durable."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_atomic(path: Path, data: bytes, mode: int = SECRET_MODE) -> None:
    """Replace `path` by `data` so that a crash leaves either the old or the new file whole.

    Raises StorageError naming the path when the disk is full, read-only or failing, or when
    something else than a file is there: a rename would put a file in a device's place.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        if path.exists() and not path.is_file():
            raise StorageError(f"{path} is no file but a device, pipe or folder; name a file")
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_directory(path.parent)
    except OSError as error:
        if error.filename is None:  # one of writing or syncing an open file
            error.filename = str(temporary)
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        kept = " (the old file is intact)" if os.path.lexists(path) else ""
        raise StorageError(refused_file(f"cannot write {path}{kept}", error)) from error


def writable(path: Path) -> bool:
    """Whether a file can be written and files beside it made, by permission and by mount."""
    return os.access(path.parent, os.W_OK | os.X_OK) and (
        not path.exists() or os.access(path, os.W_OK)
    )


def check_secret(path: Path) -> None:
    """Raise StorageError for a file that others than its owner can read.

    A mounted secret belongs to root and is read through the group; that is its mode 0440.
    """
    stat = path.stat()
    mounted = stat.st_uid == 0 and os.geteuid() != 0
    if stat.st_mode & (0o037 if mounted else 0o077):
        raise StorageError(f"{path} is readable by others; run chmod {SECRET_MODE:o} {path}")


def read_limited(path: Path, max_bytes: int) -> bytes:
    """The whole file, refused above `max_bytes`. Raises UnknownError, LimitError, StorageError."""
    try:
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)
    except FileNotFoundError as error:
        raise UnknownError(f"{path} does not exist; name a file that does") from error
    except OSError as error:
        raise StorageError(refused_file(f"cannot read {path}", error)) from error
    if len(data) > max_bytes:
        raise LimitError(f"{path} is larger than {max_bytes} bytes")
    return data
