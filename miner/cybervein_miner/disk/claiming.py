"""A path becomes a disk: claimed with a new marker, taken in by its own, or checked again."""

import time
from pathlib import Path
from typing import Final

from cybervein_protocol.api.disk_state import DiskState
from cybervein_protocol.errors import ConflictError, StorageError, UnknownError
from cybervein_protocol.signing import KeyPair

from cybervein_miner.disk.disk import Disk
from cybervein_miner.disk.following import Following
from cybervein_miner.disk.given import is_folder
from cybervein_miner.disk.marker import Marker, create_marker, read_marker
from cybervein_miner.disk.places import require_apart, seen_at
from cybervein_miner.disk.roster import DiskRoster
from cybervein_miner.disk.trouble import FailedFiles
from cybervein_miner.disk.unaccounted import Unaccounted

DISKS_MAX: Final = 1024


class Claiming:
    """Adds to the roster what a person gives."""

    def __init__(
        self,
        roster: DiskRoster,
        following: Following,
        key: KeyPair,
        unaccounted: Unaccounted,
    ) -> None:
        self._roster, self._following = roster, following
        self._key, self._unaccounted = key, unaccounted

    def add(self, path: Path, *, as_new: bool) -> Disk:
        """Claim `path`, adopt our own marker there, or check a known disk again.

        Where a drained disk was pulled, what is there now takes its place. `as_new`: a person says
        that nothing of this miner belongs there. Raises StorageError, ForbiddenError or
        ConflictError, naming the path, where it cannot be used.
        """
        before = self._roster.at(path)
        self._following.make_room_at(path)
        if before is not None and not before.pulled:
            return self._again(before)
        if len(self._roster) >= DISKS_MAX:
            raise StorageError(f"{path}: this miner has {DISKS_MAX} disks already")
        known = self._roster.disks
        disk = self._claim(path, as_new=as_new)
        disk.check()
        if not disk.readable:
            if disk in known:  # plots and shards may lie on it: it is used here once it is well
                self._roster.remember(disk)
            else:
                self._roster.strike(disk)
            raise StorageError(f"disk {path} cannot be used: {disk.reason}")
        self._roster.remember(disk)
        if before is not None:  # a path has one row in the journal: it is the new disk's
            self._roster.strike(before)
        return disk

    def _again(self, disk: Disk) -> Disk:
        disk.leaving, disk.drained, disk.failures = False, False, FailedFiles()
        disk.check()
        self._roster.remember(disk)
        if not disk.readable:
            raise StorageError(f"disk {disk.path}: {disk.refusal()}{self._instead(disk)}")
        return disk

    def _instead(self, disk: Disk) -> str:
        """What to do where a new disk is, or another of ours: its mount point was claimed bare."""
        there = seen_at(disk.path, self._key.public)
        new = there is None and disk.state is DiskState.MISSING and is_folder(disk.path)
        if not new and (there is None or there.disk in self._roster):
            return ""
        return (
            "; if it is never to come back, give it up with `cybervein disk remove "
            f"{disk.id} --force`, then add what is there now"
        )

    def _claim(self, path: Path, *, as_new: bool) -> Disk:
        if not is_folder(path):
            raise StorageError(f"{path} is not a directory; mount the disk and create it first")
        try:
            require_apart(path, self._roster.disks)
            marker = self._marker(path, as_new=as_new)
        except OSError as error:
            raise StorageError(f"cannot claim {path}: {error.strerror}") from error
        if marker.disk.hex() in self._roster:
            return self._moved(self._roster.get(marker.disk.hex()), path)
        return self._roster.enlist(marker.disk.hex(), path)

    def _marker(self, path: Path, *, as_new: bool) -> Marker:
        """Ours that is there, or a new one."""
        try:
            return read_marker(path, self._key.public)
        except UnknownError:
            if not as_new:
                self._unaccounted.require_none(path)
            now = int(time.time())  # a note for people; nothing compares it
            return create_marker(path, self._key, now)

    @staticmethod
    def _moved(disk: Disk, path: Path) -> Disk:
        """A known disk under a new path, unless it is still readable under the old one."""
        if disk.state in {DiskState.READY, DiskState.READ_ONLY}:
            raise ConflictError(f"{path} is disk {disk.id}, already in use at {disk.path}")
        disk.path = disk.home = path
        disk.leaving = disk.drained = False
        return disk
