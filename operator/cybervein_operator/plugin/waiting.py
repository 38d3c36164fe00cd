"""Waiting for the operator, for so long and no longer."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from cybervein_protocol.errors import UnavailableError


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait and how often to look, in seconds; 0 waits without limit."""

    timeout_seconds: float
    every_seconds: float = 2.0

    async def until(self, look: Callable[[], Awaitable[bool]], unmet: Callable[[], str]) -> None:
        """Return once `look` is true. Raises UnavailableError with `unmet` when time is up."""
        began = time.monotonic()
        while not await look():
            waited = time.monotonic() - began
            if self.timeout_seconds and waited + self.every_seconds > self.timeout_seconds:
                raise UnavailableError(f"after {self.timeout_seconds:g} s: {unmet()}")
            await asyncio.sleep(self.every_seconds)
