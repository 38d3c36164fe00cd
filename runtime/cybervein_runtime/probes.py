"""The three probes, each with the reasons in its body (docs/wire.md, section 5)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from cybervein_protocol.api.probes import DiskHealth, ProbeDocument, ProbeFailure
from cybervein_protocol.errors import UnavailableError
from fastapi import APIRouter, FastAPI
from msgspec import UNSET, UnsetType

from cybervein_runtime.openapi import JsonAnswer, answers

PROBE: Final = answers(ProbeDocument, or_else={UnavailableError.status: ProbeFailure})
"""Keywords of a probe's route."""


@dataclass(frozen=True, slots=True)
class Health:
    """`failing` makes a probe fail, `degraded` is only named; the rest goes into the body."""

    failing: tuple[str, ...] = ()
    degraded: tuple[str, ...] = ()
    disks: list[DiskHealth] | UnsetType = UNSET
    pending_units: int | UnsetType = UNSET

    def response(self) -> JsonAnswer:
        """200, or 503 in the shape of every error."""
        reasons = [*self.failing, *self.degraded]
        if self.failing:
            failure = ProbeFailure(
                error=UnavailableError.code,
                message="; ".join(self.failing),
                reasons=reasons,
                disks=self.disks,
                pending_units=self.pending_units,
            )
            return JsonAnswer(failure, UnavailableError.status)
        return JsonAnswer(
            ProbeDocument(
                status="degraded" if self.degraded else "ok",
                reasons=reasons,
                disks=self.disks,
                pending_units=self.pending_units,
            )
        )


@dataclass(frozen=True, slots=True)
class Probes:
    """What each probe looks at."""

    startup: Callable[[], Health]
    ready: Callable[[], Health]
    live: Callable[[], Health]


def add_probes(app: FastAPI | APIRouter, probes: Probes) -> None:
    """`/startupz`, `/readyz`, `/healthz`."""

    @app.get("/startupz", **PROBE)
    async def startupz() -> JsonAnswer:
        """Everything was opened that can be: what is missing is in the body."""
        return probes.startup().response()

    @app.get("/readyz", **PROBE)
    async def readyz() -> JsonAnswer:
        """Shards can be served."""
        return probes.ready().response()

    @app.get("/healthz", **PROBE)
    async def healthz() -> JsonAnswer:
        """503 only when a restart helps."""
        return probes.live().response()
