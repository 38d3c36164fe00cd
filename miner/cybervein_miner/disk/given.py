"""A path that somebody gave, as the one absolute path of a disk.

The kernel and Python refuse such a path in five ways (a loop of links, a name that is too long, a
NUL, bytes that are no text, a relative path under another working directory): here they become one
error that names it.
"""

from contextlib import suppress
from pathlib import Path

from cybervein_protocol.errors import CyberVeinError, StorageError

from cybervein_miner.disk.device import filesystem_number
from cybervein_miner.disk.marker import marker_path


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


def looked_at(path: Path) -> Path | CyberVeinError:
    """`place_of` of a path at which everything was looked at once that a claim looks at.

    What hangs there holds up this look: it is one for a thread.
    """
    try:
        place = place_of(path)
        with suppress(OSError):
            filesystem_number(place)
            with marker_path(place).open("rb") as file:
                file.read(1)
    except CyberVeinError as error:
        return error
    return place


def silent(path: Path, seconds: float) -> StorageError:
    """What is wrong with a path that gives no answer."""
    return StorageError(
        f"{_shown(path)} has not answered for {seconds:.0f} s: does its mount hang? Unmount it by "
        "force, or mend what it is mounted from; it is tried again"
    )


def _shown(path: Path) -> str:
    return ascii(str(path))[1:-1][:200]
