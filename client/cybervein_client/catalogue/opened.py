"""An open catalogue: one connection behind a lock, each change one synced transaction."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

from cybervein_protocol.errors import StorageError
from cybervein_runtime.database import transaction
from cybervein_runtime.database_copy import open_copy
from cybervein_runtime.files import writable

from cybervein_client.catalogue.schema import CATALOGUE, open_database


class OpenCatalogue:
    """What every table's room stands on; safe to use from several threads of one process.

    A `read_only` one, in a home that cannot be written, is a copy in memory: memos are forgotten
    with it, everything else is refused.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.read_only = path.parent.is_dir() and not writable(path)
        self._lock = threading.RLock()
        self._database = open_copy(path, CATALOGUE) if self.read_only else open_database(path)

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._database.close()

    @contextmanager
    def _write(self, *, memo: bool = False) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it or none. Raises StorageError on a full or failing disk.

        A `memo` can be asked for again: a catalogue that is only read does without.
        """
        if self.read_only and not memo:
            raise StorageError(f"catalogue {self.path} cannot be written; nothing was changed")
        with self._lock, transaction(self._database, f"catalogue {self.path}") as database:
            yield database

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._database.execute(query, values).fetchall()

    def snapshot(self) -> bytes:
        """The whole catalogue as one consistent database image."""
        copy = sqlite3.connect(":memory:")
        with self._lock:
            self._database.backup(copy)
        return copy.serialize()


def columns(kind: type[Any]) -> str:
    """The columns of a row's kind, as SQL names them."""
    return ", ".join(column.name for column in fields(kind))
