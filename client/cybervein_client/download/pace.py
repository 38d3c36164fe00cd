"""Whether a holder falls behind the others, or all of them wait for the customer's own line.

Bytes are counted in windows, each as long as a holder may be silent. What came within one says how
long the rest would take; that is compared with what a shard takes the others. On a full line
connections starve each other for seconds: so nobody is blamed before the line has room, and until
then a spare could bring nothing sooner.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

PATIENCE_SECONDS: Final = 2.0
"""How long nothing may come before anything has."""
LATER_PATIENCE_SECONDS: Final = 0.3
"""The same once others have come."""
PATIENCE_SECONDS_MAX: Final = 5.0
BEHIND_FACTOR: Final = 5
"""So many times what a shard takes the others: a spare would be sooner."""
ROOM_FACTOR: Final = 2
"""The line has room if this many times less comes than at its best."""
_BEST_SECONDS: Final = 1.0


def shard_seconds(size: int, bytes_per_second: float) -> float | None:
    """What a shard takes at that rate; None if nobody knows."""
    return size / bytes_per_second if size and bytes_per_second > 0 else None


def patience(usual_seconds: float | None, *, anything_came: bool) -> float:
    """How long a holder may be silent: half of what a shard takes the others, within limits."""
    least = LATER_PATIENCE_SECONDS if anything_came else PATIENCE_SECONDS
    return min(PATIENCE_SECONDS_MAX, max(least, (usual_seconds or 0.0) / 2))


@dataclass(slots=True, eq=False)
class Fetch:
    """One of a race's fetches: since when, and what of it had come when its window began."""

    index: int
    began: float
    behind: bool = False
    had: int = 0
    came: int = 0
    since: float | None = None

    def rate(self, now: float) -> float:
        """Bytes a second since its start."""
        return self.came / max(1e-3, now - self.began)

    def look(
        self, came: int | None, now: float, size: int, usual: float | None, window: float
    ) -> None:
        """Note what has come, and at the window's end whether it is behind."""
        if came is None:  # it waits for us
            self.began = self.since = now
            return
        self.came = came
        since = self.began if self.since is None else self.since
        if now - since < window:
            return
        recent = (came - self.had) / (now - since)
        self.behind = is_behind(size - came, recent, usual)
        self.had, self.since = came, now


def is_behind(left: int, bytes_per_second: float, usual_seconds: float | None) -> bool:
    """Whether what is left takes far longer than a shard takes the others, or nothing comes."""
    if bytes_per_second <= 0:
        return True
    return usual_seconds is not None and left > BEHIND_FACTOR * usual_seconds * bytes_per_second


@dataclass(slots=True, eq=False)
class Downlink:
    """What comes over the customer's line, of all fetches of a read: when, and how fast at best."""

    _total: int = 0
    _best: float = 0.0
    _samples: deque[tuple[float, int]] = field(default_factory=deque)

    def add(self, count: int, now: float) -> None:
        """So many more bytes have come."""
        self._total += count
        self._samples.append((now, self._total))
        while len(self._samples) > 1 and self._samples[1][0] <= now - PATIENCE_SECONDS_MAX:
            self._samples.popleft()
        self._best = max(self._best, self._rate(now, _BEST_SECONDS))

    def has_room(self, now: float, window: float) -> bool:
        """Whether far less came within the window than the line has carried."""
        return self._rate(now, window) * ROOM_FACTOR <= self._best

    def _rate(self, now: float, window: float) -> float:
        before = [total for at, total in self._samples if at <= now - window]
        return (self._total - (before[-1] if before else 0)) / window
