"""A path that somebody gave, as the one absolute path of a disk.

The kernel and Python refuse such a path in five ways (a loop of links, a name that is too long, a
NUL, bytes that are no text, a relative path under another working directory): here they become one
error that names it.
"""

from pathlib import Path

from cybervein_protocol.errors import StorageError


def place_of(path: Path) -> Path:
    """The path without links. Raises StorageError for one that cannot be followed."""
    try:
        str(path).encode()
        return path.resolve()
    except (OSError, RuntimeError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error).splitlines()[0][:200]
        raise StorageError(
            f"{_shown(path)} is no path of a disk ({why}); give another one"
        ) from error


def is_folder(path: Path) -> bool:
    """Whether a directory is there. Raises StorageError where the kernel does not say."""
    try:
        return path.is_dir()
    except OSError as error:
        raise StorageError(f"cannot look at {_shown(path)} ({error.strerror})") from error


def _shown(path: Path) -> str:
    return ascii(str(path))[1:-1][:200]
