"""How long a file is stored: arithmetic between epochs, durations and dates.

A deal ends when a ledger epoch begins, so what is left of it is counted from the network's own time
and never from this machine's clock. Dates are UTC, and as exact as epochs last what they should.
"""

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from cybervein_protocol.errors import MalformedError
from cybervein_protocol.presets import MAIN, Preset

_SECONDS: Final = {"m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400, "y": 365 * 86_400}
_DURATION: Final = re.compile(r"([0-9]{1,9})\s*([mhdwy])")
_DAYS_DEFAULT: Final = 30
_EPOCHS_DEFAULT: Final = 100
_WARN_SHARE: Final = 5
_WARN_SECONDS_MAX: Final = 7 * _SECONDS["d"]
_WARN_EPOCHS_MIN: Final = 3


class Life(StrEnum):
    """Where a file stands in time."""

    UNFINISHED = "unfinished"
    STORED = "stored"
    EXPIRING = "expiring"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class NetworkTime:
    """The open epoch; `now` and its end in unix seconds of the super node, an epoch's length."""

    epoch: int
    now: float
    ends: float
    epoch_seconds: int

    def begin_of(self, epoch: int) -> float:
        """When an epoch begins, or about when it began, in unix seconds."""
        return self.ends + (epoch - self.epoch - 1) * self.epoch_seconds

    def seconds_until(self, epoch: int) -> float:
        """What is left until an epoch begins; 0 once it has."""
        return max(0.0, self.begin_of(epoch) - self.now) if epoch > self.epoch else 0.0

    def later(self, seconds: float) -> "NetworkTime":
        """This time, moved on: an estimate while no super node answers."""
        now = self.now + max(0.0, seconds)
        passed = max(0, math.ceil((now - self.ends) / self.epoch_seconds))
        ends = self.ends + passed * self.epoch_seconds
        return NetworkTime(self.epoch + passed, now, ends, self.epoch_seconds)


def warn_epochs(epochs: int, epoch_seconds: int) -> int:
    """How long before its end a file that was paid for `epochs` is `expiring`.

    A fifth of them, a week at most, and never less than the few that a reaction takes.
    """
    return max(_WARN_EPOCHS_MIN, min(epochs // _WARN_SHARE, _WARN_SECONDS_MAX // epoch_seconds))


def life_of(expires: int | None, epochs: int, time: NetworkTime) -> Life:
    """The life of a stored file whose first deal ends at `expires` (None: not known yet)."""
    if expires is None:
        return Life.STORED
    if expires <= time.epoch:
        return Life.EXPIRED
    soon = expires - time.epoch <= warn_epochs(epochs, time.epoch_seconds)
    return Life.EXPIRING if soon else Life.STORED


def default_epochs(preset: Preset) -> int:
    """What is paid for if nobody says: 30 days in `main`, 100 epochs where epochs are short."""
    if preset.name == MAIN.name:
        return epochs_of(_DAYS_DEFAULT * _SECONDS["d"], preset.epoch_seconds)
    return _EPOCHS_DEFAULT


def parse_duration(text: str) -> int:
    """Seconds of `90m`, `12h`, `30d`, `2w` or `1y`. Raises MalformedError."""
    found = _DURATION.fullmatch(text.strip().lower())
    if found is None or not int(found[1]):
        raise MalformedError(
            f"duration {text[:40]!r}: expected a number and m, h, d, w or y, such as 12h or 30d"
        )
    return int(found[1]) * _SECONDS[found[2]]


def epochs_of(seconds: int, epoch_seconds: int) -> int:
    """Epochs that last at least that long."""
    return -(-seconds // epoch_seconds)


def date_text(unix_seconds: float) -> str:
    """A moment as people read it: `2026-12-30 04:00 UTC`."""
    return datetime.fromtimestamp(unix_seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
