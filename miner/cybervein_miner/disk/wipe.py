"""Deleting CyberVein's files of one disk, and nothing else: the one act that cannot be undone."""

import shutil
from dataclasses import dataclass

from cybervein_miner.disk.disk import FOLDERS, Disk
from cybervein_miner.disk.marker import marker_path


@dataclass(frozen=True, slots=True)
class Wiped:
    """What was deleted."""

    files: int
    bytes: int


def wipe(disk: Disk) -> Wiped:
    """Delete plots, shards, trash and temporary files, the marker last.

    Until the marker goes the disk is known as what it is, so a wipe that is cut short can be
    repeated. Raises StorageError or ForbiddenError unless this very disk is at its path.
    """
    disk.check_marker()
    files, size = 0, 0
    with disk.guard("wipe"):
        for name in FOLDERS:
            for file in disk.folder(name).rglob("*"):
                if file.is_file() and not file.is_symlink():
                    files, size = files + 1, size + file.stat().st_size
            if disk.folder(name).exists():
                shutil.rmtree(disk.folder(name))
        marker = marker_path(disk.path)
        marker.unlink()
        if not any(marker.parent.iterdir()):
            marker.parent.rmdir()
    return Wiped(files, size)
