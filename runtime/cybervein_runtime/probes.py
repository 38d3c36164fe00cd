"""The three probes, each with the reasons in its body (docs/wire.md, section 5)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cybervein_protocol.errors import UnavailableError
from fastapi import FastAPI
from fastapi.responses import JSONResponse


@dataclass(frozen=True, slots=True)
class Health:
    """`failing` makes a probe fail, `degraded` is only named; `more` goes into the body."""

    failing: tuple[str, ...] = ()
    degraded: tuple[str, ...] = ()
    more: dict[str, Any] = field(default_factory=dict)

    def response(self) -> JSONResponse:
        """200, or 503 in the shape of every error."""
        reasons = [*self.failing, *self.degraded]
        if self.failing:
            error = {"error": UnavailableError.code, "message": "; ".join(self.failing)}
            return JSONResponse(error | {"reasons": reasons} | self.more, UnavailableError.status)
        status = "degraded" if self.degraded else "ok"
        return JSONResponse({"status": status, "reasons": reasons} | self.more)


@dataclass(frozen=True, slots=True)
class Probes:
    """What each probe looks at."""

    startup: Callable[[], Health]
    ready: Callable[[], Health]
    live: Callable[[], Health]


def add_probes(app: FastAPI, probes: Probes, **described: Any) -> None:  # noqa: ANN401 -- FastAPI's
    """`/startupz`, `/readyz`, `/healthz`; `described` goes into the OpenAPI document."""

    @app.get("/startupz", **described)
    async def startupz() -> JSONResponse:
        """Everything was opened that can be: what is missing is in the body."""
        return probes.startup().response()

    @app.get("/readyz", **described)
    async def readyz() -> JSONResponse:
        """Shards can be served."""
        return probes.ready().response()

    @app.get("/healthz", **described)
    async def healthz() -> JSONResponse:
        """503 only when a restart helps."""
        return probes.live().response()
