"""Waiting for what another process does: the one place where tests poll, and their one deadline."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

Value = TypeVar("Value")
POLL_SECONDS = 0.1
# Far beyond what a slow machine takes: when it passes, something is broken, not late.
DEADLINE_SECONDS = 1200.0


class NeverHappenedError(AssertionError):
    """What was waited for did not come in time."""


def until(
    look: Callable[[], Value | None],
    what: str,
    *,
    every_seconds: float = POLL_SECONDS,
    diagnose: Callable[[], str] = str,
) -> Value:
    """Call `look` until it returns something true, and return that.

    A process that does not answer (OSError), as it starts or the machine is busy, counts as no, and
    so does a document that has not got the field yet (LookupError).
    Raises NeverHappenedError that names `what`, what was seen last, and what `diagnose` says.
    """
    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        seen: object = None
        try:
            if value := look():
                return value
            seen = value
        except (OSError, LookupError) as error:
            seen = error
        if time.monotonic() > deadline:
            raise NeverHappenedError(_never(what, seen, diagnose()))
        time.sleep(every_seconds)


async def until_async(
    look: Callable[[], Awaitable[Value | None]],
    what: str,
    *,
    every_seconds: float = POLL_SECONDS,
    but: tuple[type[Exception], ...] = (OSError,),
) -> Value:
    """`until` for what is asked asynchronously; errors in `but` count as no."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        seen: object = None
        try:
            if value := await look():
                return value
            seen = value
        except but as error:
            seen = error
        if time.monotonic() > deadline:
            raise NeverHappenedError(_never(what, seen))
        await asyncio.sleep(every_seconds)


def _never(what: str, seen: object, diagnosis: str = "") -> str:
    return f"not within {DEADLINE_SECONDS:g} s: {what}; last seen: {seen!r}\n{diagnosis}"
