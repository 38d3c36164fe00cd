"""Waiting for work that continues, whoever stops waiting for it.

`asyncio.shield` does so too, but from Python 3.14 on it logs what fails when nobody waits any more.
"""

import asyncio
from typing import Any, TypeVar

T = TypeVar("T")


async def outcome(work: "asyncio.Future[T]", seconds: float | None = None) -> T:
    """What `work` returns or raises. Raises TimeoutError where it is not done in time."""
    work.add_done_callback(_seen)
    await asyncio.wait({work}, timeout=seconds)
    if not work.done():
        raise TimeoutError
    return work.result()


def _seen(work: "asyncio.Future[Any]") -> None:
    """Whoever waits is told; an error that nobody waits for any more is not one of the loop's."""
    if not work.cancelled():
        work.exception()
