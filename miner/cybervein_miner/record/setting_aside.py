"""A damaged journal is set aside under another name, never deleted, and an empty one begins."""

from itertools import count
from pathlib import Path
from typing import Final

import structlog
from cybervein_runtime.database import DamagedError
from cybervein_runtime.files import sync_directory

from cybervein_miner.record.journal import Journal

_PARTS: Final = ("", "-wal", "-shm")
_log = structlog.get_logger()


def open_journal(path: Path, *, rebuild: bool) -> Journal:
    """The journal; a damaged one is set aside if that was asked for. Raises StorageError."""
    try:
        return Journal(path)
    except DamagedError as error:
        if not rebuild:
            raise
        aside = set_aside(path)
        _log.error("journal is set aside and made again", error=str(error), aside=str(aside))
        return Journal(path)


def set_aside(path: Path) -> Path:
    """Rename the file and what belongs to it; where it is now."""
    aside = next(free for number in count(1) if not (free := _named(path, number)).exists())
    for part in _PARTS:
        file = path.with_name(path.name + part)
        if file.exists():
            file.rename(aside.with_name(aside.name + part))
    sync_directory(path.parent)
    return aside


def _named(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.damaged-{number}")
