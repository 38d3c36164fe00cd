"""Waiting for what another process does: the one place where tests poll."""

import time
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")
POLL_SECONDS = 0.1


class NeverHappenedError(AssertionError):
    """What was waited for did not come in time."""


def until(
    look: Callable[[], Value],
    what: str,
    *,
    timeout_seconds: float = 60,
    every_seconds: float = POLL_SECONDS,
    diagnose: Callable[[], str] = str,
) -> Value:
    """Call `look` until it returns something true, and return that.

    Raises NeverHappenedError that names `what`, the last value, and what `diagnose` says.
    """
    deadline = time.monotonic() + timeout_seconds
    while True:
        value = look()
        if value:
            return value
        if time.monotonic() > deadline:
            raise NeverHappenedError(
                f"not within {timeout_seconds:g} s: {what}; last seen: {value!r}\n{diagnose()}"
            )
        time.sleep(every_seconds)
