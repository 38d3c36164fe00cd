"""Whether a holder falls behind the others, or all of them wait for the customer's own line.

Bytes are counted in windows, each as long as a holder may be silent. What came within one says how
long the rest would take; that is compared with what a shard takes the others. Over a line that is
slow for all, both are long, and nobody is behind.
"""

from dataclasses import dataclass
from typing import Final

PATIENCE_SECONDS: Final = 2.0
"""How long nothing may come before anything has."""
LATER_PATIENCE_SECONDS: Final = 0.3
"""The same once others have come."""
PATIENCE_SECONDS_MAX: Final = 10.0
BEHIND_FACTOR: Final = 5
"""So many times what a shard takes the others: a spare would be sooner."""


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
