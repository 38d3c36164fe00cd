"""The driver: walks each epoch along its timeline and closes it.

The ledger knows no clock. This loop turns time into units: `space.result` after the proof deadline,
`epoch.close` at the end. Duties of an epoch (audits, bandwidth, repair) run beside it and have
until the end; one that is late is cancelled, and a miner that it did not reach is not judged.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import structlog
from cybervein_protocol.errors import CyberVeinError
from cybervein_protocol.presets import Preset

from cybervein_supernode.clock.time_source import TimeSource
from cybervein_supernode.clock.timeline import Timeline, begin, resume

log = structlog.get_logger()
RETRY_SECONDS = 0.5
DUTY_GRACE_SECONDS = 1.0

Duty = Callable[[Timeline], Awaitable[None]]


class EpochLedger(Protocol):
    """What the driver must know and have done."""

    def open_epoch(self) -> int:
        """Index of the open epoch."""
        ...

    def results_issued(self, epoch: int) -> bool:
        """Whether `space.result` of that epoch is in the ledger (seen after a restart)."""
        ...

    async def close_epoch(self, epoch: int) -> None:
        """Issue `epoch.close`; returns once it is final."""
        ...


class EpochDriver:
    """Owns the timeline of the open epoch."""

    def __init__(
        self,
        preset: Preset,
        ledger: EpochLedger,
        after_deadline: Duty,
        duties: Sequence[Duty],
        time: TimeSource,
    ) -> None:
        self._preset = preset
        self._ledger = ledger
        self._after_deadline = after_deadline
        self._duties = duties
        self._time = time
        epoch = ledger.open_epoch()
        issued = ledger.results_issued(epoch)
        self.timeline = resume(preset, epoch, time.monotonic(), results_issued=issued)

    def wall_of(self, moment: float) -> float:
        """Unix seconds, as this machine's clock stands now, of a monotonic moment."""
        return self._time.wall() + (moment - self._time.monotonic())

    def in_time(self) -> bool:
        """Whether a space proof of the open epoch that arrives now counts."""
        return self.timeline.open_for_proofs(self._time.monotonic())

    async def run(self) -> None:
        """Walk epochs until cancelled."""
        while True:
            await self._walk(self.timeline)
            self.timeline = begin(self._preset, self._ledger.open_epoch(), self._time.monotonic())

    async def _walk(self, timeline: Timeline) -> None:
        """One epoch, from its beacon to its close."""
        tasks = [asyncio.create_task(self._guarded(duty, timeline)) for duty in self._duties]
        try:
            await self._until(timeline.deadline)
            await self._insist(self._after_deadline, timeline)
            await self._until(timeline.ends)
            if tasks:
                await asyncio.wait(tasks, timeout=DUTY_GRACE_SECONDS)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        await self._insist(lambda now: self._ledger.close_epoch(now.epoch), timeline)

    async def _until(self, moment: float) -> None:
        await self._time.sleep(max(0.0, moment - self._time.monotonic()))

    async def _guarded(self, duty: Duty, timeline: Timeline) -> None:
        """A duty that fails is logged; it costs no miner anything and stops no epoch."""
        try:
            await duty(timeline)
        except Exception:
            log.exception("duty failed", duty=getattr(duty, "__qualname__", ""), epoch=timeline)

    async def _insist(self, duty: Duty, timeline: Timeline) -> None:
        """Without this step the chain stands still: try until it works."""
        while True:
            try:
                await duty(timeline)
            except CyberVeinError as error:
                log.exception(
                    "epoch step failed; trying again", epoch=timeline.epoch, error=str(error)
                )
                await self._time.sleep(RETRY_SECONDS)
            else:
                return
