"""Says which disks answer late or take nothing more: once when it begins, once when it is over."""

from typing import Final

import structlog

from cybervein_miner.disk.disk import Disk
from cybervein_miner.disk.fullness import FULL, NO_INODES, QUOTA
from cybervein_miner.disk.rack import Rack

_NEXT_STEP: Final = {
    FULL: "free some space, lower --floor, or add a disk",
    NO_INODES: "delete small files on it, or make its filesystem anew with more inodes",
    QUOTA: "raise the quota of this user, group or project",
}
_log = structlog.get_logger()


class LateWatch:
    """Compares with what was said before; `look` asks no disk anything."""

    def __init__(self, rack: Rack) -> None:
        self._rack = rack
        self._said: set[str] = set()
        self._full: dict[str, str] = {}

    def look(self) -> None:
        """One event for each disk that changed."""
        for disk in self._rack.disks:
            self._look_for_room(disk)
            if disk.lateness and disk.id not in self._said:
                self._said.add(disk.id)
                _log.warning(
                    "disk answers late; the others continue without it",
                    path=str(disk.path),
                    disk=disk.id,
                    reason=disk.lateness,
                    next_step="look at the kernel's log, its cable and what else uses it",
                )
            elif not disk.lateness and disk.id in self._said:
                self._said.discard(disk.id)
                _log.info("disk answers in time again", path=str(disk.path), disk=disk.id)

    def _look_for_room(self, disk: Disk) -> None:
        """A disk that plots fill is no event; one whose filesystem refused a file is."""
        now, before = disk.fullness.kind or disk.no_room, self._full.get(disk.id, "")
        if now == before or not disk.readable:
            return
        self._full[disk.id] = now
        if now:
            _log.warning(
                "disk takes nothing more; others take what comes",
                path=str(disk.path),
                reason=now,
                free_bytes=disk.space().free,
                next_step=_NEXT_STEP[now],
            )
        else:
            _log.info("disk takes files again", path=str(disk.path))
