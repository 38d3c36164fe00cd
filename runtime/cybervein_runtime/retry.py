"""The one way to try again: for so long as somebody waits, or until it works.

`retry` is for a caller who would rather have the error in the end; `insist` for a step without
which the process stands still; `backoff_seconds` for a loop whose rounds differ from one another.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from cybervein_protocol.errors import CyberVeinError, UnavailableError

T = TypeVar("T")
Errors = type[Exception] | tuple[type[Exception], ...]


def backoff_seconds(attempt: int, *, base_seconds: float) -> float:
    """How long to wait after failed attempt 0, 1, 2, …: doubled each time.

    Up to half of it is left off by chance, so that callers who failed together do not come back
    together.
    """
    return random.uniform(0.5, 1) * base_seconds * (1 << attempt)  # noqa: S311 -- no secret


async def retry(
    call: Callable[[], Awaitable[T]],
    *,
    attempts: int,
    base_seconds: float,
    on: Errors = UnavailableError,
) -> T:
    """The first result of `call`; the last error after `attempts` failures of class `on`.

    `backoff_seconds` lie between two attempts.
    """
    for attempt in range(attempts - 1):
        try:
            return await call()
        except on:
            await asyncio.sleep(backoff_seconds(attempt, base_seconds=base_seconds))
    return await call()


async def insist(
    call: Callable[[], Awaitable[T]],
    *,
    failed: Callable[[CyberVeinError], object],
    pause: Callable[[], Awaitable[object]],
) -> T:
    """The first result of `call`; each error of ours is told to `failed`, then comes a `pause`."""
    while True:
        try:
            return await call()
        except CyberVeinError as error:
            failed(error)
            await pause()
