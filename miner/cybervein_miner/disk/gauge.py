"""Asks a filesystem how much room it has, without ever being held up by it.

The numbers are wanted everywhere, on the event loop too. A healthy filesystem tells them in
microseconds; one that hangs (a network mount, FUSE) is left to answer when it can, and its last
numbers stand until then.
"""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Final

from cybervein_miner.disk.daemons import begin
from cybervein_miner.disk.limits import Allowance
from cybervein_miner.disk.space import NONE, Space, usual_floor

QUICK_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class Room:
    """The space of a disk's filesystem, and the bytes of it that are promised and not written yet.

    `allowance` is what of it may be this disk's, and `begun` the bytes of its files that are being
    written, whole.
    """

    space: Space
    promised: int
    allowance: Allowance | None = None
    begun: int = 0

    def allowed(self, floor: int | None) -> int | None:
        """Bytes above the floor that the allowance still has; None without one."""
        if self.allowance is None:
            return None
        size = self.allowance.size
        return size - self.allowance.used - self.begun - usual_floor(size, floor)


NO_ROOM: Final = Room(NONE, 0)


@dataclass(eq=False, slots=True)
class Gauge:
    """The last answer, and the question that was not answered at once."""

    _last: Room = NO_ROOM
    _open: Future[Room] | None = None

    def read(self, ask: Callable[[], Room]) -> Room:
        """The answer if it comes at once, else the last one."""
        if self._open is not None and not self._open.done():
            return self._last
        asked = begin(ask, "free space")
        try:
            self._last = asked.result(timeout=QUICK_SECONDS)
        except TimeoutError:
            self._open = asked
        return self._last
