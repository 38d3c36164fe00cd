"""Waiting for what another process does: the one place where tests poll, and their one deadline."""

import time
from collections.abc import Callable
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

    Raises NeverHappenedError that names `what`, the last value, and what `diagnose` says.
    """
    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        value = look()
        if value:
            return value
        if time.monotonic() > deadline:
            raise NeverHappenedError(
                f"not within {DEADLINE_SECONDS:g} s: {what}; last seen: {value!r}\n{diagnose()}"
            )
        time.sleep(every_seconds)
