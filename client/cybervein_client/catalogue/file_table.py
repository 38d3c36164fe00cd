"""Files: their rows, their DAG nodes, and everything that goes when one is forgotten."""

import sqlite3
from collections.abc import Mapping
from dataclasses import astuple, fields, replace
from typing import Any

from cybervein_protocol.errors import ConflictError, UnknownError

from cybervein_client.catalogue.opened import OpenCatalogue, columns
from cybervein_client.catalogue.rows import FileRow, FileState


class FileTable(OpenCatalogue):
    """The files of a catalogue."""

    def add_file(self, row: FileRow, replaces: str | None = None) -> None:
        """Begin a file, in place of file `replaces`. Raises ConflictError if its name is taken."""
        marks = ", ".join("?" * len(fields(FileRow)))
        with self._write() as database:
            if replaces is not None:
                _forget(database, replaces)
            added = database.execute(
                f"INSERT INTO files ({columns(FileRow)}) VALUES ({marks}) "  # noqa: S608 -- our own column names
                "ON CONFLICT (name) DO NOTHING",
                astuple(row),
            )
        if not added.rowcount:
            raise ConflictError(
                f"a file named {row.name!r} exists; `cybervein rm` it or choose another --name"
            )

    def files(self) -> list[FileRow]:
        """All files, by name."""
        query = f"SELECT {columns(FileRow)} FROM files ORDER BY name"  # noqa: S608 -- our own column names
        return [_file(row) for row in self._rows(query)]

    def find(self, name: str) -> FileRow | None:
        """The file of that name, if there is one."""
        query = f"SELECT {columns(FileRow)} FROM files WHERE name = ?"  # noqa: S608 -- our own column names
        rows = self._rows(query, name)
        return _file(rows[0]) if rows else None

    def resolve(self, name_or_cid: str) -> FileRow:
        """The file of that name or CID. Raises UnknownError."""
        query = f"SELECT {columns(FileRow)} FROM files WHERE name = ? OR cid = ?"  # noqa: S608 -- our own column names
        rows = self._rows(query, name_or_cid, name_or_cid)
        if not rows:
            raise UnknownError(
                f"{name_or_cid!r} is neither a name nor a CID in this catalogue; "
                "`cybervein ls` shows what is stored"
            )
        return _file(rows[0])

    def finish_file(self, file: str, size: int, cid: str, nodes: Mapping[str, bytes]) -> None:
        """All deals of the file are active: record its CID and DAG nodes."""
        with self._write() as database:
            database.execute(
                "UPDATE files SET state = ?, size = ?, cid = ? WHERE id = ?",
                (FileState.STORED, size, cid, file),
            )
            database.executemany(
                "INSERT OR REPLACE INTO nodes (file, cid, data) VALUES (?, ?, ?)",
                [(file, node, data) for node, data in nodes.items()],
            )

    def set_file_state(self, file: str, state: FileState) -> None:
        """Move a file to another state."""
        with self._write() as database:
            database.execute("UPDATE files SET state = ? WHERE id = ?", (state, file))

    def set_epochs(self, file: str, epochs: int) -> None:
        """Record how many epochs are paid for, after a renewal."""
        with self._write() as database:
            database.execute("UPDATE files SET epochs = ? WHERE id = ?", (epochs, file))

    def set_keep(self, file: str, epochs: int) -> None:
        """Renew the file by so many epochs each time it ends soon; 0 leaves it to end."""
        with self._write() as database:
            database.execute("UPDATE files SET keep_epochs = ? WHERE id = ?", (epochs, file))

    def forget_file(self, file: str) -> None:
        """Remove a file and everything that belongs to it, its key included."""
        with self._write() as database:
            _forget(database, file)

    def node(self, cid: str) -> bytes:
        """An encoded DAG node. Raises UnknownError."""
        rows = self._rows("SELECT data FROM nodes WHERE cid = ? LIMIT 1", cid)
        if not rows:
            raise UnknownError(f"node {cid} is not in this catalogue")
        return bytes(rows[0][0])


def _forget(database: sqlite3.Connection, file: str) -> None:
    database.execute(
        "DELETE FROM holders WHERE deal IN (SELECT cid FROM deals WHERE file = ?)", (file,)
    )
    database.execute("DELETE FROM files WHERE id = ?", (file,))


def _file(row: tuple[Any, ...]) -> FileRow:
    made = FileRow(*row)
    return replace(made, state=FileState(made.state))
