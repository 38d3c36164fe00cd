"""Which processes said of themselves that they run under a miner's key.

The roster sees only the one that a miner's URL leads to. A process that is not reached, or finds
that its URL leads to another, names itself here, signed with the miner's key; so both hear of each
other.
"""

from dataclasses import dataclass
from typing import Final

from cybervein_supernode.clock.time_source import TimeSource

REMEMBERED_SECONDS: Final = 300.0
INSTANCES_MAX: Final = 8
"""Of one miner: a home has not more machines, and nobody fills our memory."""


@dataclass(frozen=True, slots=True)
class Heard:
    """When a process named itself last: unix seconds to tell, monotonic ones to forget."""

    wall: float
    at: float


class Instances:
    """By miner and by name; what is old is forgotten."""

    def __init__(self, time: TimeSource) -> None:
        self._time = time
        self._heard: dict[bytes, dict[str, Heard]] = {}

    def hear(self, miner: bytes, instance: str) -> None:
        """A process of this miner runs."""
        known = self._fresh(miner)
        known.pop(instance, None)
        known[instance] = Heard(self._time.wall(), self._time.monotonic())
        while len(known) > INSTANCES_MAX:
            known.pop(next(iter(known)))
        self._heard[miner] = known

    def of(self, miner: bytes) -> dict[str, float]:
        """Names, and when each was heard last, in unix seconds."""
        return {name: heard.wall for name, heard in self._fresh(miner).items()}

    def _fresh(self, miner: bytes) -> dict[str, Heard]:
        since = self._time.monotonic() - REMEMBERED_SECONDS
        fresh = {n: heard for n, heard in self._heard.get(miner, {}).items() if heard.at >= since}
        if not fresh:
            self._heard.pop(miner, None)
        return fresh
