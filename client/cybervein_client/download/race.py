"""k of many: start k, replace what fails, race a spare against what is slow, stop at k."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from cybervein_protocol.errors import CyberVeinError

FIRST_PATIENCE_SECONDS: Final = 2.0
"""How long nothing may arrive before a spare is started."""
LATER_PATIENCE_SECONDS: Final = 0.3
"""The least head start of slow shards once others have arrived."""


async def first_k(
    k: int, candidates: Sequence[int], fetch: Callable[[int], Awaitable[bytes]]
) -> dict[int, bytes]:
    """The first k of `candidates` (most wanted first) that `fetch` gives; fewer if too many fail.

    `fetch` reports its own failures and raises CyberVeinError for each.
    """
    return await _Race(k, candidates, fetch).run()


class _Race:
    def __init__(
        self, k: int, candidates: Sequence[int], fetch: Callable[[int], Awaitable[bytes]]
    ) -> None:
        self._k = k
        self._waiting = list(candidates)
        self._fetch = fetch
        self._running: dict[asyncio.Task[bytes], int] = {}
        self._results: dict[int, bytes] = {}
        self._started = time.monotonic()
        self._patience = FIRST_PATIENCE_SECONDS

    async def run(self) -> dict[int, bytes]:
        try:
            for _ in range(self._k):
                self._start()
            while self._running and len(self._results) < self._k:
                done, _ = await asyncio.wait(
                    self._running, timeout=self._patience, return_when=asyncio.FIRST_COMPLETED
                )
                if not done:
                    self._start()
                for task in done:
                    self._take(task)
        finally:
            await self._stop()
        return self._results

    def _start(self) -> None:
        if self._waiting:
            index = self._waiting.pop(0)
            self._running[asyncio.ensure_future(self._fetch(index))] = index

    def _take(self, task: asyncio.Task[bytes]) -> None:
        index = self._running.pop(task)
        try:
            self._results[index] = task.result()
        except CyberVeinError:
            self._start()
            return
        spent = time.monotonic() - self._started
        self._patience = max(LATER_PATIENCE_SECONDS, spent)

    async def _stop(self) -> None:
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
