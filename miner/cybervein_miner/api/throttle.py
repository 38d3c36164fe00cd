"""The bandwidth cap: one token bucket over all bytes of shards and plots, in and out."""

import threading
import time
from collections.abc import Callable
from typing import Final

RATE_MIN: Final = 128 * 1024
BURST_SECONDS: Final = 0.25
PIECE_SECONDS: Final = 0.25
PIECE_BYTES_MIN: Final = 16 * 1024
PIECE_BYTES_MAX: Final = 1 << 20


class Throttle:
    """At most `rate` bytes per second in the long run; None is no limit.

    Whoever moves bytes asks how long to wait first; turns are given in the order of asking.
    """

    def __init__(
        self, rate: int | None = None, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.rate, self._monotonic = rate, monotonic
        self._lock = threading.Lock()
        self._free_at = 0.0  # when all that was promised has been moved

    def delay(self, count: int) -> float:
        """Seconds to wait before moving `count` more bytes."""
        if self.rate is None:
            return 0.0
        with self._lock:
            now = self._monotonic()
            begin = max(self._free_at, now - BURST_SECONDS)
            self._free_at = begin + count / self.rate
            return max(0.0, begin - now)

    @property
    def piece(self) -> int:
        """Bytes to move at a time: whoever waits for his turn with others waits seconds at most."""
        if self.rate is None:
            return PIECE_BYTES_MAX
        return min(PIECE_BYTES_MAX, max(PIECE_BYTES_MIN, int(self.rate * PIECE_SECONDS)))

    def pace(self, count: int) -> None:
        """Wait in a thread."""
        if (seconds := self.delay(count)) > 0:
            time.sleep(seconds)
