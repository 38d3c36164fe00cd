"""The one retry loop: bounded attempts, exponential back-off with full jitter."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from cybervein_protocol.errors import UnavailableError

T = TypeVar("T")


async def retry(
    call: Callable[[], Awaitable[T]],
    *,
    attempts: int,
    base_seconds: float,
    on: type[Exception] | tuple[type[Exception], ...] = UnavailableError,
) -> T:
    """The first result of `call`; the last error after `attempts` failures of class `on`."""
    for attempt in range(attempts - 1):
        try:
            return await call()
        except on:
            await asyncio.sleep(random.uniform(0, base_seconds * 2**attempt))  # noqa: S311 -- jitter
    return await call()
