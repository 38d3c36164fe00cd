"""How far plotting is, and how long it will still take, from how fast it went so far."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog

SHARE_MIN: Final = 0.02
"""Of one plot: what was done before says too little to be a forecast."""
TELL_SECONDS: Final = 60.0
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class PlotsNow:
    """Whole plots, those that are wanted, and how much (0 to 1) of each in the making is done."""

    whole: int
    wanted: int
    shares: tuple[float, ...] = ()


@dataclass(slots=True)
class Forecast:
    """Counts plots from the moment at which the first was begun; None while nothing is made."""

    monotonic: Callable[[], float] = time.monotonic
    began: float | None = None
    made: int = 0
    _told: float = 0.0

    def begin(self) -> None:
        """A plot is begun."""
        if self.began is None:
            self.began = self._told = self.monotonic()
            self.made = 0

    def left_seconds(self, now: PlotsNow) -> float | None:
        """Until every plot that is wanted is made, None where nobody can tell."""
        share = sum(now.shares)
        done = self.made + share
        if self.began is None or done < SHARE_MIN:
            return None
        missing = max(0.0, now.wanted - now.whole - share)
        return (self.monotonic() - self.began) * missing / done

    def finish(self, now: PlotsNow, number: int, disk: str) -> None:
        """A plot is whole: a line of the log."""
        self.made += 1
        _log.info("plot made", plot=number, disk=disk, **self._facts(now))

    def tell(self, now: PlotsNow) -> None:
        """A line of the log in a minute at most, while plots are made."""
        if not now.shares:
            self.began = None  # what follows is measured anew
        elif self.monotonic() - self._told >= TELL_SECONDS:
            self._told = self.monotonic()
            percent = [round(100 * share) for share in now.shares]
            _log.info("plotting", percent=percent, **self._facts(now))

    def _facts(self, now: PlotsNow) -> dict[str, int | None]:
        left = self.left_seconds(now)
        seconds = None if left is None else round(left)
        return {"plots": now.whole, "wanted": now.wanted, "left_seconds": seconds}
