"""One Lease: taken when it is free, renewed while it is ours, given back at the end.

It lies in the namespace that it is about, under one name for all releases, so that
`kubectl get leases` there shows who acts. Time is the kernel's since the start of the machine,
sleep included: an operator that was suspended knows that it was.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import structlog

from cybervein_operator import lease_object as lease
from cybervein_operator.cluster.client import ClusterClient, Object
from cybervein_operator.cluster.errors import ApiAwayError, ApiError
from cybervein_operator.judgement.lease import (
    LeaseSighting,
    LeaseTimes,
    free,
    record_of,
    sighted,
    taken,
)

_RELEASE_SECONDS: Final = 3.0
_log = structlog.get_logger()


def seconds_awake_and_asleep() -> float:
    """Seconds since the machine started; `monotonic` leaves out what it slept."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


class LeaseHold:
    """The Lease of one namespace, and what this process knows of it."""

    def __init__(
        self,
        client: ClusterClient,
        namespace: str,
        me: str,
        times: LeaseTimes,
        clock: Callable[[], float] = seconds_awake_and_asleep,
    ) -> None:
        self._client, self.namespace, self._me = client, namespace, me
        self._times, self._clock = times, clock
        self._seen: LeaseSighting | None = None
        self._version = ""
        self._renewed: float | None = None
        self._wake, self._was_wanted = asyncio.Event(), True
        self.listener: Callable[[], None] = lambda: None
        self.wanted: Callable[[], bool] = lambda: True
        """Whether it shall be taken; one that is not wanted any more is given back."""
        self.tried = False
        self.problem = ""
        """Why it can be neither read nor taken, or ""."""

    @property
    def holder(self) -> str:
        """Who has it, as far as is known; "" for nobody."""
        return self._seen.record.holder if self._seen else ""

    @property
    def held(self) -> bool:
        """Whether it is ours, and was renewed lately enough to act."""
        return self._age() < self._times.deadline

    def seconds_left(self) -> float:
        """For how long nobody else can take it: a write must be over by then."""
        return max(0.0, self._times.duration - self._age()) if self.held else 0.0

    def _age(self) -> float:
        return float("inf") if self._renewed is None else self._clock() - self._renewed

    def look_again(self) -> None:
        """At once where it is wanted now and was not, or the other way round."""
        wanted = self.wanted()
        if wanted != self._was_wanted:
            self._was_wanted = wanted
            self._wake.set()

    async def run(self) -> None:
        """Take it and keep it, until cancelled."""
        while True:
            before = (self.tried, self.held, self.holder, self.problem)
            try:
                async with asyncio.timeout(self._patience()):
                    await self._turn()
                self.problem = ""
            except (ApiError, ApiAwayError, TimeoutError) as error:
                self.problem = str(error)[:300] or "the API server does not answer in time"
            self.tried = True
            after = (self.tried, self.held, self.holder, self.problem)
            if after != before:
                self.listener()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pause()):
                    await self._wake.wait()
            self._wake.clear()

    def _patience(self) -> float:
        """Never so long that the end of our own time goes by unnoticed."""
        left = self._times.deadline - self._age()
        return max(0.1, left) if self.held else self._times.renewal

    def _pause(self) -> float:
        if not self.held:
            return self._times.look
        left = max(0.05, self._times.deadline - self._age())
        return min(left, self._times.look / 2 if self.problem else self._times.renewal)

    async def _turn(self) -> None:
        if not self.wanted():
            await self.release()
            return
        for _ in range(2):  # a second time where somebody wrote between look and write
            if not self.held or not self._version:
                await self._look()
            if not free(self._seen, self._me, self._clock()):
                self._renewed = None
                return
            if await self._take():
                return

    async def _look(self) -> None:
        found = await lease.read(self._client, self.namespace)
        if found is None:
            self._version = ""
            return
        self._note(found)

    def _note(self, found: Object) -> None:
        self._version = found["metadata"]["resourceVersion"]
        self._seen = sighted(self._seen, record_of(found), self._clock())

    async def _take(self) -> bool:
        """Renew or take it as it was seen; False where it has changed meanwhile."""
        began, spec = self._clock(), taken(self._seen, self._me, self._times, lease.micro_time())
        if not self._version:
            made = await lease.made(self._client, self.namespace, spec)
        else:
            made = await lease.changed(self._client, self.namespace, self._version, spec)
        if made is None:
            self._version = ""
            return False
        if self.holder not in {"", self._me}:
            _log.info("took a Lease over", namespace=self.namespace, before=self.holder)
        self._note(made)
        self._renewed = began
        return True

    async def release(self) -> None:
        """Give it back, so that the next one need not wait; errors are let go: it expires."""
        if self._renewed is None or not self._version:
            return
        self._renewed = None
        try:
            async with asyncio.timeout(_RELEASE_SECONDS):
                spec = {"holderIdentity": "", "leaseDurationSeconds": 1}
                await lease.changed(self._client, self.namespace, self._version, spec)
        except (ApiError, ApiAwayError, TimeoutError) as error:
            _log.info("a Lease could not be given back; it expires", error=str(error)[:200])
        self._version = ""
