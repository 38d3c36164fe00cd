"""The sidecar's HTTP interface: `/metrics`, `/healthz`, `/readyz`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from fastapi import FastAPI, Request, Response
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from cybervein_miner.sidecar.collector import ScrapeCollector
from cybervein_miner.sidecar.sources import Sources


def build_app(miner: str, super_node: str) -> FastAPI:
    """The application of a sidecar of the miner and super node at these URLs."""
    sources = Sources(miner, super_node)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        del app
        await sources.open()
        yield
        await sources.close()

    app = FastAPI(title="CyberVein sidecar", version="1", docs_url=None, lifespan=lifespan)

    @app.get("/metrics")
    async def metrics(request: Request) -> Response:
        """All metrics, built fresh, in the format that the scraper asks for."""
        registry = CollectorRegistry(auto_describe=False)
        registry.register(ScrapeCollector(await sources.ask()))
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(registry), headers={"content-type": content_type})

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        """This process works."""
        return {"status": "ok"}

    @app.get("/readyz")
    async def readyz(response: Response) -> dict[str, str]:
        """The miner answers."""
        try:
            await sources.miner()
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError, TypeError):
            response.status_code = 503
            return {"status": "the miner does not answer"}
        return {"status": "ok"}

    return app
