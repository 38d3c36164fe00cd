"""How long the plots that are wanted will still take, from how fast they were made so far."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

SHARE_MIN: Final = 0.02
"""Of one plot: what was done before says too little to be a forecast."""


@dataclass(slots=True)
class Forecast:
    """Counts plots from the moment at which the first was begun; None while nothing is made."""

    monotonic: Callable[[], float] = time.monotonic
    began: float | None = None
    made: int = 0

    def begin(self) -> None:
        """A plot is begun."""
        if self.began is None:
            self.began, self.made = self.monotonic(), 0

    def finish(self) -> None:
        """A plot is whole."""
        self.made += 1

    def rest(self) -> None:
        """Nothing is in the making: what follows is measured anew."""
        self.began = None

    def left_seconds(self, missing: int, shares: float) -> float | None:
        """Until `missing` plots are made, of which `shares` (0 to 1 each, summed) are done."""
        done = self.made + shares
        if self.began is None or done < SHARE_MIN:
            return None
        return (self.monotonic() - self.began) * max(0.0, missing - shares) / done
