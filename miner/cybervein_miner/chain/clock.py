"""The network's time on this machine: a super node's time, carried on by the monotonic clock.

The wall clock may jump (a flat battery, a careless administrator); signatures on incoming requests
and orders must be judged all the same. Before the first answer of a super node the wall clock is
all there is.
"""

import time
from collections.abc import Callable

SKEW_SECONDS_MIN = 5.0
"""A smaller difference is the network's latency, not a wrong clock."""


class NetworkClock:
    """Unix seconds as the super node counts them."""

    def __init__(
        self,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._monotonic, self._wall = monotonic, wall
        self._offset: float | None = None

    def observe(self, server_unix: float, asked: float, answered: float) -> None:
        """A super node said its time between two of our monotonic moments."""
        self._offset = server_unix - (asked + answered) / 2

    def monotonic(self) -> float:
        """Seconds that never jump."""
        return self._monotonic()

    def now(self) -> float:
        """The network's unix time."""
        return self._wall() if self._offset is None else self._monotonic() + self._offset

    def skew(self) -> float:
        """Seconds by which this machine's wall clock is ahead of the network; 0 if unknown."""
        return 0.0 if self._offset is None else self._wall() - self.now()
