"""Polls of miners at a bounded rate, whoever needs news first.

`rate` polls begin a second in all; a miner is asked every `period` seconds where few are, less
often where many are. Hot ones (starting, draining, being updated, out of reach) are asked every
third of a period while the rate allows it.
"""

import asyncio
import heapq
import time
from collections.abc import Awaitable, Callable
from typing import Final

Key = tuple[str, str]
_HOT_SHARE: Final = 1 / 3
_IN_FLIGHT: Final = 16


class Poller:
    """Calls `poll` for each known key again and again; never more than sixteen at once."""

    def __init__(
        self,
        poll: Callable[[Key], Awaitable[None]],
        *,
        rate_per_second: float,
        period_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._poll, self._clock = poll, clock
        self._gap, self._period = 1 / rate_per_second, period_seconds
        self._due: dict[Key, float] = {}
        self._heap: list[tuple[float, int, Key]] = []
        self._count = 0
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
        """This miner is no more."""
        self._due.pop(key, None)
        self._hot.discard(key)

    async def run(self) -> None:
        """Poll for ever."""
        while True:
            key = await self._next()
            await self._slots.acquire()
            task = asyncio.create_task(self._one(key))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
            await asyncio.sleep(self._gap)

    async def _next(self) -> Key:
        while True:
            self._alarm.clear()
            while self._heap:
                due, _, key = self._heap[0]
                if self._due.get(key) != due:
                    heapq.heappop(self._heap)
                    continue
                if due > self._clock():
                    break
                heapq.heappop(self._heap)
                self._due[key] = float("inf")
                return key
            wait = self._heap[0][0] - self._clock() if self._heap else None
            try:
                await asyncio.wait_for(self._alarm.wait(), wait)
            except TimeoutError:
                continue

    async def _one(self, key: Key) -> None:
        try:
            await self._poll(key)
        finally:
            self._slots.release()
            if key in self._due:
                self._schedule(key, self._period * (_HOT_SHARE if key in self._hot else 1))

    def _schedule(self, key: Key, delay: float) -> None:
        self._due[key] = self._clock() + max(0.0, delay)
        self._count += 1
        heapq.heappush(self._heap, (self._due[key], self._count, key))
        self._alarm.set()
