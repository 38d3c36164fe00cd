"""Where time comes from. Durations are monotonic; the wall clock is only ever published.

A wall clock that jumps (NTP, a suspended laptop, a hand on the clock) therefore moves the printed
end of an epoch, never its length.
"""

import asyncio
import time
from typing import Protocol


class TimeSource(Protocol):
    """Monotonic seconds, wall seconds, and waiting."""

    def monotonic(self) -> float:
        """Seconds that never go back."""

    def wall(self) -> float:
        """Unix seconds, to publish only."""

    async def sleep(self, seconds: float) -> None:
        """Wait that many monotonic seconds."""


class SystemTime:
    """The machine's own clocks."""

    def monotonic(self) -> float:
        """`time.monotonic`."""
        return time.monotonic()

    def wall(self) -> float:
        """`time.time`."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """`asyncio.sleep`."""
        await asyncio.sleep(max(0.0, seconds))
