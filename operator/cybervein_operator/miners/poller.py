"""Polls of miners at a bounded rate, whoever needs news first.

`rate` polls begin a second in all; a miner is asked every `period` seconds where few are, less
often where many are. Hot ones (starting, draining, being updated, out of reach) are asked every
third of a period, and get every other poll where not all can be asked in time. So soon is asked
again, too, whoever told of something that moves; but in its turn, as all may plot at once.
"""

import asyncio
import heapq
import time
from collections.abc import Awaitable, Callable
from typing import Final

Key = tuple[str, str]
_HOT_SHARE: Final = 1 / 3
_IN_FLIGHT: Final = 16
_RUNNING: Final = float("inf")
_Heap = list[tuple[float, int, Key]]


class Poller:
    """Calls `poll` for each known key again and again; never more than sixteen at once.

    `poll` says whether something moves there.
    """

    def __init__(
        self,
        poll: Callable[[Key], Awaitable[bool]],
        *,
        rate_per_second: float,
        period_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._poll, self._clock = poll, clock
        self._gap, self._period = 1 / rate_per_second, period_seconds
        self._due: dict[Key, float] = {}
        self._heaps: tuple[_Heap, _Heap] = ([], [])
        """Due times of the others, and of the hot."""
        self._count = 0
        self._turn = False
        self._hot: set[Key] = set()
        self._alarm = asyncio.Event()
        self._slots = asyncio.Semaphore(_IN_FLIGHT)
        self._running: set[asyncio.Task[None]] = set()

    def watch(self, key: Key, *, hot: bool) -> None:
        """Poll this miner from now on; one that becomes hot is asked sooner."""
        known, was_hot = key in self._due, key in self._hot
        (self._hot.add if hot else self._hot.discard)(key)
        if not known:
            self._schedule(key, 0.0)
        elif hot and not was_hot:
            self._schedule(key, min(self._due[key] - self._clock(), self._period * _HOT_SHARE))

    def soon(self, key: Key) -> None:
        """Ask this miner next."""
        if key in self._due:
            self._schedule(key, 0.0)

    def forget(self, key: Key) -> None:
        """This miner is gone."""
        self._due.pop(key, None)
        self._hot.discard(key)

    async def run(self) -> None:
        """Poll until cancelled."""
        while True:
            key = await self._next()
            await self._slots.acquire()
            task = asyncio.create_task(self._one(key))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
            await asyncio.sleep(self._gap)

    async def _next(self) -> Key:
        """The next miner that is due: hot and other ones take turns."""
        while True:
            self._alarm.clear()
            self._turn = not self._turn
            for heap in (self._heaps[self._turn], self._heaps[not self._turn]):
                if self._waits(heap) <= 0:
                    _, _, key = heapq.heappop(heap)
                    self._due[key] = _RUNNING
                    return key
            wait = min(map(self._waits, self._heaps))
            try:
                await asyncio.wait_for(self._alarm.wait(), None if wait == _RUNNING else wait)
            except TimeoutError:
                continue

    def _waits(self, heap: _Heap) -> float:
        """Seconds until the first of a heap is due; entries that no longer count are dropped."""
        while heap and self._due.get(heap[0][2]) != heap[0][0]:
            heapq.heappop(heap)
        return heap[0][0] - self._clock() if heap else _RUNNING

    async def _one(self, key: Key) -> None:
        moves = False
        try:
            moves = await self._poll(key)
        finally:
            self._slots.release()
            if key in self._due:
                soon = moves or key in self._hot
                self._schedule(key, self._period * (_HOT_SHARE if soon else 1))

    def _schedule(self, key: Key, delay: float) -> None:
        self._due[key] = self._clock() + max(0.0, delay)
        self._count += 1
        heapq.heappush(self._heaps[key in self._hot], (self._due[key], self._count, key))
        self._alarm.set()
