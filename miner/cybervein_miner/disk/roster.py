"""The disks that this miner knows, each with its row in the journal."""

import sqlite3
from functools import partial
from pathlib import Path

from cybervein_protocol.errors import UnknownError
from cybervein_protocol.signing import KeyPair

from cybervein_miner.disk.disk import Disk
from cybervein_miner.disk.given import place_of
from cybervein_miner.record.journal import Journal

_STAYS, _LEAVES, _DRAINED = 0, 1, 2


class DiskRoster:
    """Disks by id; `floor` overrides each disk's default free-space floor (bytes)."""

    def __init__(self, key: KeyPair, journal: Journal, floor: int | None) -> None:
        self._key, self._journal, self._floor = key, journal, floor
        self._disks: dict[str, Disk] = {}

    @property
    def disks(self) -> list[Disk]:
        """All disks, by path."""
        return sorted(self._disks.values(), key=lambda disk: str(disk.path))

    def __len__(self) -> int:
        return len(self._disks)

    def __contains__(self, disk_id: str) -> bool:
        return disk_id in self._disks

    def get(self, disk_id: str) -> Disk:
        """The disk of that id. Raises UnknownError."""
        try:
            return self._disks[disk_id]
        except KeyError:
            raise UnknownError(f"disk {disk_id[:64]!r}: not a disk of this miner") from None

    def at(self, path: Path) -> Disk | None:
        """The disk known at that path: the one that is there before one that should be."""
        path = place_of(path)
        there = [disk for disk in self._disks.values() if disk.path == path]
        return min(there, key=lambda disk: disk.lost, default=None)

    def recall(self) -> None:
        """List what the journal knows; nothing is looked at yet."""
        for disk_id, path, leaving in self._journal.read("SELECT id, path, leaving FROM disk"):
            self.enlist(disk_id.hex(), Path(path), leaving)

    def enlist(self, disk_id: str, path: Path, leaving: int = _STAYS) -> Disk:
        """A disk on the list, and not yet in the journal."""
        disk = Disk(
            disk_id,
            path,
            self._key.public,
            self._floor,
            leaving=leaving == _LEAVES,
            drained=leaving == _DRAINED,
        )
        disk.beside = partial(self._beside, disk)
        self._disks[disk_id] = disk
        return disk

    def strike(self, disk: Disk) -> None:
        """Take a disk off the list; its row stays."""
        self._disks.pop(disk.id, None)

    def remember(self, disk: Disk) -> None:
        """Write the disk's home and whether it stays, durably."""
        leaving = _DRAINED if disk.drained else _LEAVES if disk.leaving else _STAYS
        row = (bytes.fromhex(disk.id), str(disk.home), leaving)

        def work(connection: sqlite3.Connection) -> None:
            connection.execute("INSERT OR REPLACE INTO disk VALUES (?, ?, ?)", row)

        self._journal.write_now(work)

    def forget(self, disk: Disk) -> None:
        """Drop `disk` from the set; its files and marker stay as they are."""
        disk_id = bytes.fromhex(disk.id)
        self._journal.write_now(
            lambda connection: connection.execute("DELETE FROM disk WHERE id = ?", (disk_id,))
        )
        self.strike(disk)

    def _beside(self, disk: Disk) -> list[Disk]:
        """Other disks on the same filesystem that can be used."""
        shared = [each for each in self.disks if each.filesystem == disk.filesystem]
        return [other for other in shared if other is not disk and other.readable]
