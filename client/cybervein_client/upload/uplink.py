"""How many shards are sent at once: as many as the line carries, each in good time.

On a slow line many at once would each crawl, and all be half sent when it breaks; one after the
other they arrive, and each receipt is kept. A fast line is opened as soon as it shows. Rates are of
acknowledged bytes, so the kernel's buffers do not flatter them.
"""

import asyncio
import statistics
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from cybervein_client.transport import Sending

LANES_MIN: Final = 2
LANES_FIRST: Final = 6
LANES_MAX: Final = 32
SHARD_SECONDS: Final = 20.0
"""A shard should take no longer than this."""
LAG_SECONDS = 10.0
"""A transfer is not judged before."""
LAG_FACTOR: Final = 5
"""So much slower than the others: it costs a spare."""
_REMEMBERED: Final = 32
_RECKON_SECONDS: Final = 1.0
_RECKON_SECONDS_MIN: Final = 0.02


def lanes_for(bytes_per_second: float, shard_bytes: int) -> int:
    """How many shards of that size such a line takes at once."""
    wanted = int(bytes_per_second * SHARD_SECONDS / max(1, shard_bytes))
    return min(LANES_MAX, max(LANES_MIN, wanted))


@dataclass(kw_only=True, eq=False)
class Uplink:
    """Lets transfers onto the line, and knows which lag behind."""

    lag_seconds: float = field(default_factory=lambda: LAG_SECONDS)
    clock: Callable[[], float] = time.monotonic
    open: int = LANES_FIRST
    _active: list[Sending] = field(default_factory=list)
    _rates: deque[float] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    _since: float | None = None
    _moved: int = 0

    @asynccontextmanager
    async def lane(self, transfer: Sending) -> AsyncIterator[None]:
        """Wait for a lane and hold it for the length of a transfer."""
        async with self._changed:
            await self._changed.wait_for(lambda: len(self._active) < self.open)
            self._since = self.clock() if self._since is None else self._since
            self._active.append(transfer)
            transfer.began = transfer.moved = self.clock()  # the wait was none of its miner's
        try:
            yield
        finally:
            async with self._changed:
                self._active.remove(transfer)
                self._learn(transfer)
                self._changed.notify_all()

    def _learn(self, ended: Sending) -> None:
        """The line's rate is what all transfers moved since it was last reckoned.

        A short time only opens lanes: it may have been one of waiting for a disk.
        """
        if ended.taken:
            self._rates.append(ended.rate(self.clock()))
        self._moved += ended.acknowledged
        under_way = sum(each.acknowledged for each in self._active)
        seconds = self.clock() - (self._since or 0.0)
        found = lanes_for((self._moved + under_way) / max(seconds, _RECKON_SECONDS_MIN), ended.size)
        if seconds < _RECKON_SECONDS:
            self.open = max(self.open, found)
            return
        self.open = found
        self._since, self._moved = self.clock(), -under_way

    def lags(self, transfer: Sending) -> bool:
        """Whether a transfer is far slower than those that have ended."""
        now = self.clock()
        if transfer.taken or not self._rates or now - transfer.began < self.lag_seconds:
            return False
        return transfer.rate(now) * LAG_FACTOR < statistics.median(self._rates)
