"""The disks that this miner knows, each with its row in the journal.

The imprints of their markers lie among the counters: an older release opens the journal as before.
"""

import sqlite3
from functools import partial
from pathlib import Path
from typing import Final

from cybervein_protocol.errors import UnknownError
from cybervein_protocol.signing import KeyPair

from cybervein_miner.disk.disk import Disk
from cybervein_miner.disk.limits import Limits
from cybervein_miner.disk.lock import DiskLock
from cybervein_miner.record.journal import Journal

_STAYS, _LEAVES, _DRAINED = 0, 1, 2
_IMPRINT: Final = "imprint of disk "


class DiskRoster:
    """Disks by id; `floor` overrides each disk's default free-space floor (bytes).

    `role` is told to whoever else wants a disk that is in use here; "" locks none.
    """

    def __init__(self, key: KeyPair, journal: Journal, floor: int | None, role: str) -> None:
        self._key, self._journal, self._floor, self._role = key, journal, floor, role
        self._disks: dict[str, Disk] = {}
        self.limits = Limits()
        self._imprints: dict[str, int] = {}

    @property
    def disks(self) -> list[Disk]:
        """All disks, by path; a list of its own, as disks come and go in other threads."""
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

    def knows(self, path: Path) -> bool:
        """Whether a disk is at that path, or belongs there."""
        return any(path in {disk.path, disk.home} for disk in self.disks)

    def at(self, path: Path) -> Disk | None:
        """The disk known at that path: the one that is there before one that should be."""
        there = [disk for disk in self.disks if disk.path == path]
        return min(there, key=lambda disk: disk.lost, default=None)

    def recall(self) -> None:
        """List what the journal knows; nothing is looked at yet."""
        for disk_id, path, leaving in self._journal.read("SELECT id, path, leaving FROM disk"):
            self.enlist(disk_id.hex(), Path(path), leaving)
        rows = self._journal.read("SELECT name, value FROM counter")
        self._imprints = {
            name.removeprefix(_IMPRINT): value for name, value in rows if name.startswith(_IMPRINT)
        }
        for disk in self._disks.values():
            disk.imprint = self._imprints.get(disk.id)

    def enlist(self, disk_id: str, path: Path, leaving: int = _STAYS) -> Disk:
        """A disk on the list, and not yet in the journal."""
        disk = Disk(
            disk_id,
            path,
            self._key.public,
            self._floor,
            leaving=leaving == _LEAVES,
            drained=leaving == _DRAINED,
            lock=DiskLock(self._role),
        )
        disk.beside = partial(self._beside, disk)
        disk.limit = lambda: self.limits.of(disk.id, disk.home, disk.path)
        self._disks[disk_id] = disk
        return disk

    def strike(self, disk: Disk) -> None:
        """Take a disk off the list; its row stays."""
        disk.lock.end()
        self._disks.pop(disk.id, None)

    def remember(self, disk: Disk) -> None:
        """Write the disk's home and whether it stays, durably."""
        leaving = _DRAINED if disk.drained else _LEAVES if disk.leaving else _STAYS
        row = (bytes.fromhex(disk.id), str(disk.home), leaving)

        def work(connection: sqlite3.Connection) -> None:
            connection.execute("INSERT OR REPLACE INTO disk VALUES (?, ?, ?)", row)

        self._journal.write_now(work)
        self.keep_imprints()

    def keep_imprints(self) -> None:
        """Write down what markers look like, where that changed."""
        now = {disk.id: disk.imprint for disk in self.disks if disk.imprint is not None}
        rows = [(_IMPRINT + i, seen) for i, seen in now.items() if self._imprints.get(i) != seen]
        if not rows:
            return

        def work(connection: sqlite3.Connection) -> None:
            connection.executemany("INSERT OR REPLACE INTO counter VALUES (?, ?)", rows)

        self._journal.write_now(work)
        self._imprints = now

    def forget(self, disk: Disk) -> None:
        """Drop `disk` from the set; its files and marker stay as they are."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM disk WHERE id = ?", (bytes.fromhex(disk.id),))
            connection.execute("DELETE FROM counter WHERE name = ?", (_IMPRINT + disk.id,))

        self._journal.write_now(work)
        self._imprints.pop(disk.id, None)
        self.strike(disk)

    def let_go(self) -> None:
        """Use no disk any more: whoever wants one may have it."""
        for disk in self.disks:
            disk.lock.end()

    def _beside(self, disk: Disk) -> list[Disk]:
        """Other disks on the same filesystem that can be used."""
        shared = [each for each in self.disks if each.filesystem == disk.filesystem]
        return [other for other in shared if other is not disk and other.readable]
