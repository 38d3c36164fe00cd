"""Rows set aside: what failed by its own fault is tried again later, ever more seldom."""

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Final

PAUSE_SECONDS_MIN: Final = 60.0
PAUSE_SECONDS_MAX: Final = 6 * 3600.0


@dataclass(eq=False, slots=True)
class Aside:
    """When each row that failed is tried again; forgotten with the process."""

    clock: Callable[[], float] = time.monotonic
    _until: dict[Hashable, tuple[float, float]] = field(default_factory=dict)

    def waits(self, row: Hashable) -> bool:
        """Whether it is too early for another try."""
        return self._until.get(row, (0.0, 0.0))[0] > self.clock()

    def failed(self, row: Hashable) -> bool:
        """Set a row aside; whether for the first time."""
        _, pause = self._until.get(row, (0.0, 0.0))
        longer = min(max(PAUSE_SECONDS_MIN, 2 * pause), PAUSE_SECONDS_MAX)
        self._until[row] = (self.clock() + longer, longer)
        return not pause

    def done(self, row: Hashable) -> None:
        """It worked: forget that it did not."""
        self._until.pop(row, None)
