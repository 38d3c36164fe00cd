"""Threads for work that a disk may hold up without end: no pool that runs out, never waited for.

A pool is used up by a disk that hangs, and the interpreter waits for its threads at the end. These
are daemons: what is left behind in the kernel ends with the process. How many there are is bounded
by who asks: gates at the door, one for each disk in the duties.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from typing import Any, ParamSpec, TypeVar

from cybervein_protocol.errors import StorageError
from cybervein_runtime.outcome import outcome

from cybervein_miner.disk.calls import ANSWER_SECONDS
from cybervein_miner.disk.daemons import begin

T = TypeVar("T")
P = ParamSpec("P")


def side_by_side(
    work: Mapping[str, Callable[[], T]], seconds: float, name: str
) -> dict[str, Future[T]]:
    """A thread for each piece of work; returns when all are done or the time is over."""
    begun = {key: begin(each, f"{name} {key[:8]}") for key, each in work.items()}
    wait(begun.values(), timeout=max(0.0, seconds))
    return begun


class Lanes:
    """One thread for each disk at most: a disk that has not answered yet is given nothing more."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._busy: dict[str, Future[Any]] = {}

    def busy(self, disk_id: str) -> bool:
        """Whether earlier work on that disk still runs."""
        earlier = self._busy.get(disk_id)
        return earlier is not None and not earlier.done()

    def run(self, work: Mapping[str, Callable[[], T]], seconds: float) -> dict[str, T]:
        """What each disk's work returned within the time; raises what it raised."""
        free = {key: each for key, each in work.items() if not self.busy(key)}
        begun = side_by_side(free, seconds, self._name)
        self._busy = {k: f for k, f in self._busy.items() if not f.done()} | begun
        return {key: future.result() for key, future in begun.items() if future.done()}


class DaemonThreads(ThreadPoolExecutor):
    """An event loop's executor without a pool: as many threads as there is work, all daemons."""

    def __init__(self, name: str) -> None:
        super().__init__(1, name)
        self._name = name

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Start at once."""
        return begin(partial(fn, *args, **kwargs), self._name)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 -- the base's
        """Wait for nobody: what must be finished was waited for by who began it."""


async def in_time(work: Callable[[], T], doing: str, seconds: float = ANSWER_SECONDS) -> T:
    """What `work` returns from a thread. Raises StorageError where its disk keeps it waiting.

    The thread is left to the disk: whoever asked can continue.
    """
    return await answer_in_time(begin(work, doing), doing, seconds)


async def answer_in_time(begun: Future[T], doing: str, seconds: float = ANSWER_SECONDS) -> T:
    """What begun work returns. Raises as `in_time`."""
    try:
        return await outcome(asyncio.wrap_future(begun), seconds)
    except TimeoutError as error:
        raise StorageError(
            f"cannot {doing}: the disk has not answered for {seconds:.0f} s; try again later"
        ) from error


def seconds_until(moment: float) -> float:
    """Seconds left until a monotonic moment, never negative."""
    return max(0.0, moment - time.monotonic())
