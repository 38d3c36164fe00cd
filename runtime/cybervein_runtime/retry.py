"""The one way to try again: for so long as somebody waits, or until it works.

`retry` is for a caller who would rather have the error in the end; `insist` for a step without
which the process stands still.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from cybervein_protocol.errors import CyberVeinError, UnavailableError

T = TypeVar("T")
Errors = type[Exception] | tuple[type[Exception], ...]


async def retry(
    call: Callable[[], Awaitable[T]],
    *,
    attempts: int,
    base_seconds: float,
    on: Errors = UnavailableError,
) -> T:
    """The first result of `call`; the last error after `attempts` failures of class `on`.

    Between two attempts lies exponential back-off with full jitter.
    """
    for attempt in range(attempts - 1):
        try:
            return await call()
        except on:
            await asyncio.sleep(random.uniform(0, base_seconds * 2**attempt))  # noqa: S311 -- jitter
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
