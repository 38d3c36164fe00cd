"""Keeps the duties of a miner running side by side, and ends them in bounded time.

They are asked to end, not cancelled: a plot in the making and a replay run in threads that look for
it. A duty that ends by an error of ours stays ended, and the liveness probe says so.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

import structlog
from cybervein_runtime.duty import Duty

STOP_SECONDS_MAX: Final = 20.0
"""After this the duties are left behind: what must not be lost is in the journal already."""
_log = structlog.get_logger()


class Keeper:
    """`ended` names duties that an error ended, `left_behind` tells if any outlasted the stop."""

    def __init__(self) -> None:
        self.ended: list[str] = []
        self.left_behind = False
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, duties: Sequence[Duty]) -> None:
        """Start them all, inside a running event loop."""
        self._tasks = [asyncio.create_task(self._guarded(d), name=d.name) for d in duties]

    async def wait(self) -> None:
        """Return when all have ended, or when nobody waits for them any longer."""
        _, left = await asyncio.wait(self._tasks, timeout=STOP_SECONDS_MAX)
        self.left_behind = bool(left)

    async def _guarded(self, duty: Duty) -> None:
        try:
            await duty.run()
        except Exception:  # noqa: BLE001 -- the other duties must keep running
            self.ended.append(duty.name)
            _log.exception("a duty of the miner ended; restart the miner", duty=duty.name)
