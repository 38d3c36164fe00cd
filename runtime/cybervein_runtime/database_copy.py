"""A store whose file cannot be written, as a copy in memory: reading it needs no file beside it.

SQLite reads a log by an index (`-shm`) beside it, and refuses where it would have to write one.
`immutable` lets it read on, but past the log. So a log that was left without its index, as in a
copied home, is read where one can be written.
"""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from cybervein_protocol.errors import StorageError

from cybervein_runtime.database import (
    Store,
    beside,
    connect,
    damaged,
    has_log,
    is_damage,
    upgrade,
)


def open_copy(path: Path, store: Store) -> sqlite3.Connection:
    """What a file that cannot be written holds, if there is one: in memory, upgraded there.

    Whatever is written to it is lost when it is closed. Raises StorageError naming the file.
    """
    copy = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    try:
        if path.exists():
            _copy(path, copy)
            copy.execute("PRAGMA foreign_keys = ON")
        upgrade(copy, path, store)
    except (OSError, sqlite3.Error) as error:
        copy.close()
        if is_damage(error):
            raise damaged(path, store, error) from error
        raise StorageError(f"cannot read {store.what} {path}: {error}; {store.rescue}") from error
    return copy


def _copy(path: Path, into: sqlite3.Connection) -> None:
    """All that is committed, the log beside the file included."""
    log, index = beside(path)
    if not has_log(path):
        with closing(connect(path, "ro&immutable=1")) as source:
            source.backup(into)
    elif index.exists():
        with closing(connect(path, "ro")) as source:
            source.backup(into)
    else:
        with TemporaryDirectory() as place:
            for each in (path, log):
                shutil.copyfile(each, Path(place) / each.name)
            with closing(connect(Path(place) / path.name, "rw")) as source:
                source.backup(into)
