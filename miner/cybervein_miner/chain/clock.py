"""The network's time on this machine: a super node's time, carried on by the monotonic clock.

The wall clock may jump (a flat battery, a careless administrator); signatures on incoming requests
and orders must be judged all the same. Before the first answer of a super node the wall clock is
all there is.
"""

import time
from collections.abc import Callable

import structlog
from cybervein_protocol.http_signature import CLOCK_SKEW_SECONDS_MAX, clock_gap

SKEW_SECONDS_MIN = 5.0
"""A smaller difference is the network's latency, not a wrong clock."""
_log = structlog.get_logger()


class NetworkClock:
    """Unix seconds as the super node counts them."""

    def __init__(
        self,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._monotonic, self._wall = monotonic, wall
        self._offset: float | None = None
        self._told = False

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

    def problem(self) -> str:
        """What a wall clock that is wrong does, in words; "" while it is right, or unknown."""
        skew = self.skew()
        if abs(skew) <= CLOCK_SKEW_SECONDS_MAX:
            return ""
        return (
            f"this machine's clock is {clock_gap(skew)} the network's: the miner goes by the "
            "network's, other commands on this machine are refused; set the clock (NTP)"
        )

    def tell(self) -> None:
        """Log once that the wall clock is wrong, and once that it is right again."""
        problem = self.problem()
        if problem and not self._told:
            _log.error("the clock of this machine is wrong", problem=problem)
        elif self._told and not problem:
            _log.info("the clock of this machine is right again")
        self._told = bool(problem)
