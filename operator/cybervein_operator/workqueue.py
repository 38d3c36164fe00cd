"""Level-triggered work: keys, not events.

A key that is added while it waits is one piece of work; one that is added while it is being
reconciled is reconciled once more. Failures come back after a delay that doubles per key, up to a
minute or two, so that one broken object never holds up another.
"""

import asyncio
import heapq
import random
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Final, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
_BACKOFF_SECONDS: Final = 1.0
_BACKOFF_SECONDS_MAX: Final = 90.0


class WorkQueue(Generic[K]):
    """Reconciles keys with `workers` tasks; `reconcile` says in how many seconds to look again.

    Urgent keys go first: a look at a whole pool does not wait behind its thousand miners.
    """

    def __init__(  # noqa: PLR0913 -- built once, in assembly.py
        self,
        reconcile: Callable[[K], Awaitable[float | None]],
        on_error: Callable[[K, Exception], None],
        *,
        workers: int,
        urgent: Callable[[K], bool] = lambda _: False,
        clock: Callable[[], float] = time.monotonic,
        backoff_seconds: float = _BACKOFF_SECONDS,
    ) -> None:
        self._reconcile, self._on_error, self._urgent = reconcile, on_error, urgent
        self._workers, self._clock, self._backoff = workers, clock, backoff_seconds
        self._ready: OrderedDict[K, None] = OrderedDict()
        self._running: set[K] = set()
        self._again: set[K] = set()
        self._due: dict[K, float] = {}
        self._heap: list[tuple[float, int, K]] = []
        self._count = 0
        self._failures: dict[K, int] = {}
        self._wake = asyncio.Condition()
        self._alarm = asyncio.Event()

    @property
    def depth(self) -> int:
        """Keys that wait for a worker."""
        return len(self._ready)

    def add(self, key: K, delay_seconds: float = 0.0) -> None:
        """Reconcile `key` soon, or in a while; the earlier of two wishes counts."""
        if delay_seconds <= 0:
            self._due.pop(key, None)
            if key in self._running:
                self._again.add(key)
            else:
                self._ready[key] = None
                if self._urgent(key):
                    self._ready.move_to_end(key, last=False)
                self._alarm.set()
            return
        if key in self._ready:
            return
        due = self._clock() + delay_seconds
        if due < self._due.get(key, float("inf")):
            self._due[key] = due
            self._count += 1
            heapq.heappush(self._heap, (due, self._count, key))
            self._alarm.set()

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._workers):
                group.create_task(self._work())
            group.create_task(self._feed())

    async def _feed(self) -> None:
        """Move due keys over and wake workers."""
        while True:
            self._alarm.clear()
            wait = self._release_due()
            if self._ready:
                async with self._wake:
                    self._wake.notify(len(self._ready))
            try:
                await asyncio.wait_for(self._alarm.wait(), wait)
            except TimeoutError:
                continue

    def _release_due(self) -> float | None:
        """Seconds until the next delayed key; None without any."""
        now = self._clock()
        while self._heap and self._heap[0][0] <= now:
            due, _, key = heapq.heappop(self._heap)
            if self._due.get(key) == due:
                self.add(key)
        return max(0.0, self._heap[0][0] - now) if self._heap else None

    async def _work(self) -> None:
        while True:
            async with self._wake:
                await self._wake.wait_for(lambda: bool(self._ready))
                key, _ = self._ready.popitem(last=False)
                self._running.add(key)
            await self._one(key)

    async def _one(self, key: K) -> None:
        try:
            again = await self._reconcile(key)
        except Exception as error:  # noqa: BLE001 -- a key's failure is its own, whatever it is
            self._on_error(key, error)
            again = self._delay(key)
        else:
            self._failures.pop(key, None)
        self._running.discard(key)
        if key in self._again:
            self._again.discard(key)
            self.add(key)
        elif again is not None:
            self.add(key, again)

    def _delay(self, key: K) -> float:
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        delay: float = min(self._backoff * 2.0**failures, _BACKOFF_SECONDS_MAX)
        return delay * random.uniform(0.75, 1.25)  # noqa: S311 -- spreading load, not a secret
