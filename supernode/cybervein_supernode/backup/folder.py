"""A vault that is a directory, such as another disk or a mounted claim."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from blake3 import blake3
from cybervein_protocol.errors import StorageError, UnknownError
from cybervein_runtime.files import read_limited, sync_directory
from cybervein_runtime.reasons import refused_file

PARTIAL = ".partial"


class FolderVault:
    """Files below one directory; what is being written lies in `.partial` until it is renamed."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @property
    def what(self) -> str:
        """The directory."""
        return str(self._root)

    def scratch(self, directory: Path) -> Path:
        """On the vault's own filesystem, so that taking a file over is a rename."""
        del directory
        return self._root / PARTIAL

    def names(self, under: str) -> list[str]:
        """Every file below a folder."""
        top = self._root / under
        with self._refused(f"cannot list {top}"):
            found = (path for path in top.rglob("*") if path.is_file())
            return sorted(str(path.relative_to(self._root)) for path in found)

    def put(self, name: str, source: Path) -> None:
        """Synced, renamed, and the directories that lead there synced."""
        path = self._root / name
        with self._refused(f"cannot write {path}"):
            path.parent.mkdir(parents=True, exist_ok=True)
            with source.open("rb+") as file:
                os.fsync(file.fileno())
            source.replace(path)
            for folder in self._up_to_root(path):
                sync_directory(folder)

    def read(self, name: str, bytes_max: int) -> bytes:
        """A small file."""
        return read_limited(self._root / name, bytes_max)

    def fetch(self, name: str, into: Path) -> None:
        """A copy."""
        path = self._root / name
        if not path.exists():
            raise UnknownError(f"{path} does not exist; choose another snapshot")
        with self._refused(f"cannot copy {path}"):
            shutil.copyfile(path, into)

    def digest(self, name: str) -> str:
        """Of the file as it can be read now."""
        path = self._root / name
        with self._refused(f"cannot read {path}"):
            return blake3().update_mmap(path).hexdigest()

    def drop(self, name: str) -> None:
        """Unlink, and remove the folders that are empty then."""
        path = self._root / name
        with self._refused(f"cannot remove {path}"):
            path.unlink(missing_ok=True)
            for folder in self._up_to_root(path):
                if folder == self._root or any(folder.iterdir()):
                    return
                folder.rmdir()

    def _up_to_root(self, path: Path) -> Iterator[Path]:
        for folder in path.parents:
            if folder.exists():
                yield folder
            if folder == self._root:
                return

    @contextmanager
    def _refused(self, what: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StorageError(refused_file(what, error)) from error
