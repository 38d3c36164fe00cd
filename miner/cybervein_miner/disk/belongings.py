"""Which files on a disk are CyberVein's, by place and name; whatever else lies there is let be.

File managers, editors and recovery tools leave files of their own in any folder. They are neither
read, moved nor deleted, and none of them keeps a plot or a shard beside it from being taken in.
"""

import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import structlog
from cybervein_protocol.errors import StorageError

from cybervein_miner.disk.disk import Disk
from cybervein_miner.disk.presence import FOLDERS

_ROOT: Final = "[0-9a-f]{64}"
_ATOMIC: Final = r"\.[0-9a-f]{8}\.tmp"  # what a file is called while `write_atomic` writes it
_SHARD_FOLDER: Final = re.compile("[0-9a-f]{2}")
_SHARD: Final = re.compile(_ROOT)
_NAMES: Final = {
    "plots": re.compile(rf"\.?[0-9]{{8,}}\.plot(\.obao|\.meta|\.partial)?({_ATOMIC})?"),
    "shards": re.compile(rf"\.?{_ROOT}(\.obao)?({_ATOMIC})?"),
    "trash": re.compile(rf"{_ROOT}(\.obao)?"),
    "tmp": re.compile(rf"({_ROOT}(\.[0-9a-f]{{8}})?(\.obao)?|probe)"),
}
_log = structlog.get_logger()


@dataclass(slots=True)
class Found:
    """Files of ours, those of others, and what could not be looked at and why."""

    ours: list[Path] = field(default_factory=list)
    strays: list[Path] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)


def found_in(disk: Disk, name: str) -> Found:
    """What lies in one of the disk's folders. Raises OSError if the folder itself is unreadable."""
    found = Found()
    places = [disk.folder(name)]
    if name == "shards":
        places = list(_shard_folders(places[0], found))
    for place in places:
        _look_into(place, _NAMES[name], found)
    return found


def shard_files(disk: Disk) -> list[Path]:
    """The shards on a disk: files named by a root, in the folder of its first two digits."""
    files = found_in(disk, "shards").ours
    return [f for f in files if _SHARD.fullmatch(f.name) and f.parent.name == f.name[:2]]


def tell_strays(disk: Disk) -> None:
    """Log once, when a disk comes: what lies among its files and is not taken in."""
    for name in FOLDERS if disk.readable else ():
        with suppress(StorageError, FileNotFoundError), disk.guard("look for files of others"):
            found = found_in(disk, name)
            if found.strays:
                _log.warning(
                    "files that are not CyberVein's are left as they are",
                    files=len(found.strays),
                    first=str(found.strays[0]),
                )
            for problem in found.unread:
                _log.error("cannot be read and is not taken in", problem=problem)


def _shard_folders(place: Path, found: Found) -> Iterator[Path]:
    for entry in sorted(place.iterdir()):
        if _SHARD_FOLDER.fullmatch(entry.name) and entry.is_dir():
            yield entry
        else:
            found.strays.append(entry)


def _look_into(place: Path, name: re.Pattern[str], found: Found) -> None:
    """One entry that cannot be looked at costs that entry alone."""
    try:
        entries = sorted(place.iterdir())
    except OSError as error:
        found.unread.append(f"{place}: {error.strerror}")
        return
    for entry in entries:
        try:
            plain = stat.S_ISREG(entry.stat().st_mode)
        except FileNotFoundError:
            plain = False  # a link to nowhere
        except OSError as error:
            found.unread.append(f"{entry}: {error.strerror}")
            continue
        (found.ours if plain and name.fullmatch(entry.name) else found.strays).append(entry)
