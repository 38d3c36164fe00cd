"""Says which disks answer late: once when it begins, once when it is over."""

import structlog

from cybervein_miner.disk.rack import Rack

_log = structlog.get_logger()


class LateWatch:
    """Compares with what was said before; `look` asks no disk anything."""

    def __init__(self, rack: Rack) -> None:
        self._rack = rack
        self._said: set[str] = set()

    def look(self) -> None:
        """One event for each disk that changed."""
        for disk in self._rack.disks:
            if disk.lateness and disk.id not in self._said:
                self._said.add(disk.id)
                _log.warning(
                    "disk answers late; the others go on without it",
                    path=str(disk.path),
                    disk=disk.id,
                    reason=disk.lateness,
                    next_step="look at the kernel's log, its cable and what else uses it",
                )
            elif not disk.lateness and disk.id in self._said:
                self._said.discard(disk.id)
                _log.info("disk answers in time again", path=str(disk.path), disk=disk.id)
