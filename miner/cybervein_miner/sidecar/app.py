"""The sidecar's HTTP interface: `/metrics`, `/healthz`, `/readyz`."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from cybervein_protocol.errors import CyberVeinError
from cybervein_runtime.exposition import metrics_page, metrics_route
from cybervein_runtime.http_errors import install_errors
from cybervein_runtime.openapi import JsonAnswer, describe
from cybervein_runtime.probes import PROBE, Health
from cybervein_runtime.trust import Trust
from fastapi import FastAPI, Request, Response

from cybervein_miner.sidecar.collector import ScrapeCollector
from cybervein_miner.sidecar.sources import Sources


def build_app(miner: Callable[[], str], super_node: str, trust: Trust | None = None) -> FastAPI:
    """The application of a sidecar of the super node at this URL and the miner where it is now."""
    sources = Sources(miner, super_node, trust or Trust())

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        del app
        yield
        await sources.close()

    app = FastAPI(title="CyberVein sidecar", version="1", docs_url=None, lifespan=lifespan)
    install_errors(app)

    @app.get("/metrics", **metrics_route())
    async def metrics(request: Request) -> Response:
        """All metrics, built fresh, in the format that the scraper asks for."""
        return metrics_page(request, ScrapeCollector(await sources.ask()))

    _probes(app, sources)
    describe(app)
    return app


def _probes(app: FastAPI, sources: Sources) -> None:
    heard = False

    @app.get("/healthz", **PROBE)
    async def healthz() -> JsonAnswer:
        """This process works."""
        return Health().response()

    @app.get("/readyz", **PROBE)
    async def readyz() -> JsonAnswer:
        """The miner answers."""
        nonlocal heard
        try:
            await sources.miner()
        except (CyberVeinError, OSError, ValueError) as error:
            return Health((f"the miner does not answer: {str(error)[:400]}",)).response()
        heard = True
        return Health().response()

    @app.get("/startupz", **PROBE)
    async def startupz() -> JsonAnswer:
        """The miner has answered once: this is its sidecar, and it has something to tell."""
        return Health().response() if heard else await readyz()
