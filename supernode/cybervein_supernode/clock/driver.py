"""The driver: walks each epoch along its timeline and closes it.

The ledger knows no clock. This loop turns time into units: `space.result` after the proof deadline,
`epoch.close` at the end. Duties of an epoch (audits, bandwidth, repair) run beside it and have
until the end; one that is late is cancelled, and a miner that it did not reach is not judged.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog
from cybervein_protocol.errors import CyberVeinError
from cybervein_runtime.retry import insist

from cybervein_supernode.clock.epoch_clock import EpochClock
from cybervein_supernode.clock.timeline import Timeline

_log = structlog.get_logger()
RETRY_SECONDS = 0.5
DUTY_GRACE_SECONDS = 1.0

Step = Callable[[Timeline], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class EpochDuty:
    """What is done once in each epoch, beside its timeline."""

    name: str
    run: Step


class EpochLedger(Protocol):
    """What the driver must know and have done."""

    def open_epoch(self) -> int:
        """Index of the open epoch."""
        ...

    async def close_epoch(self, epoch: int) -> None:
        """Issue `epoch.close`; returns once it is final."""
        ...


class EpochDriver:
    """Moves the clock from epoch to epoch."""

    def __init__(
        self,
        clock: EpochClock,
        ledger: EpochLedger,
        after_deadline: Step,
        duties: Sequence[EpochDuty],
    ) -> None:
        self._clock = clock
        self._ledger = ledger
        self._after_deadline = after_deadline
        self._duties = duties

    async def run(self) -> None:
        """Walk epochs until cancelled."""
        while True:
            await self._walk(self._clock.timeline)
            self._clock.begin(self._ledger.open_epoch())

    async def _walk(self, timeline: Timeline) -> None:
        """One epoch, from its beacon to its close."""
        tasks = [asyncio.create_task(self._guarded(duty, timeline)) for duty in self._duties]
        try:
            await self._clock.until(timeline.deadline)
            await self._insist(self._after_deadline, timeline)
            await self._clock.until(timeline.ends)
            if tasks:
                await asyncio.wait(tasks, timeout=DUTY_GRACE_SECONDS)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        await self._insist(lambda now: self._ledger.close_epoch(now.epoch), timeline)

    async def _guarded(self, duty: EpochDuty, timeline: Timeline) -> None:
        """A duty that fails is logged; it costs no miner anything and stops no epoch."""
        try:
            await duty.run(timeline)
        except Exception:  # noqa: BLE001 -- logged; it stops no epoch
            _log.exception("duty failed", duty=duty.name, epoch=timeline.epoch)

    async def _insist(self, step: Step, timeline: Timeline) -> None:
        """Without this step the chain stands still: try until it works."""

        def failed(error: CyberVeinError) -> None:
            _log.exception(
                "epoch step failed; trying again", epoch=timeline.epoch, error=str(error)
            )

        await insist(
            lambda: step(timeline),
            failed=failed,
            pause=lambda: self._clock.pause(RETRY_SECONDS),
        )
