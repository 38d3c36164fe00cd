"""k of many: start k, replace what fails, race a spare against a holder that is slow, stop at k.

A spare costs the customer's line a shard, so slowness alone asks for none: where everything is slow
it is the customer's own line. `pace` says which holder falls behind the others, and whether the
line has room. As many fetches as are still needed should go well; where fewer do and there is room,
one spare is started, then the pause before the next one doubles.
"""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Final

from cybervein_protocol.errors import CyberVeinError

from cybervein_client.download.pace import Downlink, Fetch, patience, shard_seconds

LOOK_SECONDS: Final = 0.25
"""How often fetches are looked at while none ends."""

Arrived = Callable[[int], int | None]
"""Bytes that have come of a fetch; None while it waits for a thread of ours."""


def _nothing(_: int) -> int:
    return 0


async def first_k(  # noqa: PLR0913 -- what is raced, and how it is watched
    k: int,
    candidates: Sequence[int],
    fetch: Callable[[int], Awaitable[bytes]],
    *,
    size: int = 0,
    arrived: Arrived = _nothing,
    overtaken: Callable[[int], None] = lambda _: None,
    line: Downlink | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> dict[int, bytes]:
    """The first k of `candidates` (most wanted first) that `fetch` gives; fewer if too many fail.

    `fetch` reports its own failures and raises CyberVeinError for each. A piece has about `size`
    bytes. `overtaken` is told which fetches fell behind and were not waited for. Races that share
    a line are given it.
    """
    race = _Race(
        k, candidates, fetch, arrived=arrived, size=size, line=line or Downlink(), clock=clock
    )
    pieces = await race.run()
    for index in race.overtaken():
        overtaken(index)
    return pieces


class _Race:
    def __init__(  # noqa: PLR0913 -- as `first_k`
        self,
        k: int,
        candidates: Sequence[int],
        fetch: Callable[[int], Awaitable[bytes]],
        *,
        arrived: Arrived,
        size: int,
        line: Downlink,
        clock: Callable[[], float],
    ) -> None:
        self._k, self._size, self._line, self._clock = k, size, line, clock
        self._waiting = list(candidates)
        self._fetch, self._arrived = fetch, arrived
        self._running: dict[asyncio.Task[bytes], Fetch] = {}
        self._behind: list[int] = []
        self._results: dict[int, bytes] = {}
        self._rates: list[float] = []
        self._spares = 0
        self._spare_at = clock()

    async def run(self) -> dict[int, bytes]:
        try:
            for _ in range(self._k):
                self._start()
            while self._running and len(self._results) < self._k:
                done, _ = await asyncio.wait(
                    self._running, timeout=LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED
                )
                for task in done:
                    self._take(task)
                if not done:
                    self._look()
        finally:
            await self._stop()
        return self._results

    def overtaken(self) -> list[int]:
        """Fetches that were behind when enough others had come."""
        return self._behind

    def _start(self) -> None:
        if self._waiting:
            index = self._waiting.pop(0)
            task = asyncio.ensure_future(self._fetch(index))
            self._running[task] = Fetch(index, self._clock())

    def _take(self, task: asyncio.Task[bytes]) -> None:
        fetch = self._running.pop(task)
        try:
            self._results[fetch.index] = task.result()
        except CyberVeinError:
            self._start()
            return
        now = self._clock()
        self._line.add(max(0, self._size - fetch.came), now)
        self._rates.append(self._size / max(1e-3, now - fetch.began))

    def _look(self) -> None:
        """Start a spare if too few fetches go well, the line has room and the last one had time."""
        now, came_any = self._clock(), bool(self._results)
        well, least = 0, 0.0
        for fetch in self._running.values():
            others = statistics.median([*self._rates_but(fetch, now)] or [0.0])
            usual, before = shard_seconds(self._size, others), fetch.came
            window = patience(usual, anything_came=came_any)
            fetch.look(self._arrived(fetch.index), now, self._size, usual, window)
            self._line.add(fetch.came - before, now)
            well, least = well + (not fetch.behind), max(least, window)
        pause = patience(None, anything_came=came_any) * 2**self._spares
        enough = len(self._results) + well >= self._k
        if not enough and now - self._spare_at >= pause and self._line.has_room(now, least):
            self._spares, self._spare_at = self._spares + 1, now
            self._start()

    def _rates_but(self, fetch: Fetch, now: float) -> Iterator[float]:
        """Bytes a second of what came already and of the other fetches that go well."""
        yield from self._rates
        for other in self._running.values():
            if other is not fetch and not other.behind and (rate := other.rate(now)):
                yield rate

    async def _stop(self) -> None:
        self._behind = [fetch.index for fetch in self._running.values() if fetch.behind]
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
