"""Why SQLite refused, in the system's words.

SQLite knows a full disk, and calls a quota that is used up a mere I/O error, or a file that cannot
be opened. So the folder is asked itself: what refuses a small file there refused the database too.
"""

import os
import sqlite3
from pathlib import Path
from typing import Final

from cybervein_runtime.reasons import FULL, system_reason

_UNCLEAR: Final = frozenset({sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN})
_PROBE_BYTES: Final = 64 << 10
"""More than a transaction of a few pages, as the last blocks of a quota may still be free."""


def database_reason(error: sqlite3.Error, folder: Path | None) -> str:
    """What to call it; `folder` is where the database lies."""
    primary = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the rest says in which call
    full = _full(folder) if folder is not None and primary in _UNCLEAR else None
    return str(error) if full is None else system_reason(full)


def folder_of(connection: sqlite3.Connection) -> Path | None:
    """Where the connection's file lies; None where it has none or cannot say."""
    try:
        [(_, _, file), *_] = connection.execute("PRAGMA database_list").fetchall()
    except (sqlite3.Error, ValueError):
        return None
    return Path(file).parent if file else None


def _full(folder: Path) -> OSError | None:
    """What a full folder, or one over its quota, says to a small file; None if it is neither."""
    probe = folder / f".probe.{os.getpid()}"
    try:
        with probe.open("wb", buffering=0) as file:
            probe.unlink()
            file.write(bytes(_PROBE_BYTES))
    except OSError as error:
        return error if error.errno in FULL else None
    return None
