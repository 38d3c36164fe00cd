"""Deleting CyberVein's files of one disk, and nothing else: the one act that cannot be undone."""

from dataclasses import dataclass
from pathlib import Path

from cybervein_miner.disk.belongings import found_in
from cybervein_miner.disk.disk import Disk
from cybervein_miner.disk.lock import lock_path
from cybervein_miner.disk.marker import marker_path
from cybervein_miner.disk.presence import FOLDERS


@dataclass(frozen=True, slots=True)
class Wiped:
    """What was deleted."""

    files: int
    bytes: int


def wipe(disk: Disk) -> Wiped:
    """Delete plots, shards, trash and temporary files, the marker last.

    Until the marker goes the disk is known as what it is, so a wipe that is cut short can be
    repeated. Raises StorageError or ForbiddenError unless this very disk is at its path,
    ConflictError where another process uses it.
    """
    disk.check_marker()
    files, size = 0, 0
    with disk.guard("wipe", None):
        disk.lock.take(disk.path)  # a drained disk is not held
        for name in filter(lambda name: disk.folder(name).exists(), FOLDERS):
            for file in found_in(disk, name).ours:
                files, size = files + 1, size + file.stat().st_size
                file.unlink()
            _remove_empty(*disk.folder(name).glob("[0-9a-f][0-9a-f]"), disk.folder(name))
        lock_path(disk.path).unlink(missing_ok=True)
        marker = marker_path(disk.path)
        marker.unlink()
        _remove_empty(marker.parent)
    disk.lock.let_go()
    return Wiped(files, size)


def _remove_empty(*folders: Path) -> None:
    """Where files of others lie, the folder stays with them."""
    for folder in folders:
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
