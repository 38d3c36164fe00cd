"""Duties: what a process does for as long as it runs, one list instead of five places.

A duty registers itself with its name, its work and its part of the status. Starting, stopping,
health and the figures of `/metrics` all follow from the list, so a new duty is one more entry.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

_log = structlog.get_logger()
RESTART_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of a status: `name` as in metrics without their prefix, `text` says what it is."""

    name: str
    text: str
    value: float


def _no_figures() -> Sequence[Figure]:
    return ()


@dataclass(frozen=True, slots=True)
class Duty:
    """`run` works until it is cancelled; `figures` is its part of the status, asked at any time."""

    name: str
    run: Callable[[], Awaitable[None]]
    figures: Callable[[], Sequence[Figure]] = _no_figures


class Duties:
    """Keeps every duty of a process running, inside a running event loop."""

    def __init__(
        self,
        duties: Sequence[Duty],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._duties = tuple(duties)
        self._sleep = sleep
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Start them all."""
        for duty in self._duties:
            self._tasks.append(asyncio.create_task(self._keep(duty), name=duty.name))

    async def stop(self) -> None:
        """End them all; returns once none runs."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def ended(self) -> list[str]:
        """Duties that ended although they should not: only a restart helps."""
        return [task.get_name() for task in self._tasks if task.done()]

    def figures(self) -> list[Figure]:
        """The parts of the status, in the order of the list."""
        return [figure for duty in self._duties for figure in duty.figures()]

    async def _keep(self, duty: Duty) -> None:
        """A duty that fails by an error of ours is logged and started again."""
        while True:
            try:
                await duty.run()
            except Exception:  # noqa: BLE001 -- logged; the duty starts again
                _log.exception("duty failed; starting it again", duty=duty.name)
            await self._sleep(RESTART_SECONDS)
