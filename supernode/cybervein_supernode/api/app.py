"""The FastAPI application: routes, errors, limits, and the explorer page at `/`."""

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from cybervein_protocol.errors import RateError
from cybervein_runtime.addresses import is_loopback
from cybervein_runtime.http_errors import install_errors
from cybervein_runtime.http_server import Authenticator
from cybervein_runtime.openapi import describe
from fastapi import FastAPI
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles

from cybervein_supernode.api.chain_routes import chain_routes
from cybervein_supernode.api.free_units import FreeUnits, Network
from cybervein_supernode.api.holding_routes import holding_routes
from cybervein_supernode.api.limits import Buckets, RateLimit
from cybervein_supernode.api.live_routes import live_routes
from cybervein_supernode.api.market_routes import market_routes
from cybervein_supernode.api.metrics import metrics_routes
from cybervein_supernode.api.network_routes import network_routes
from cybervein_supernode.api.signed_routes import signed_routes
from cybervein_supernode.api.submit_routes import submit_routes
from cybervein_supernode.node.node import SuperNodeParts

EXPLORER = Path(__file__).parent.parent / "explorer"
_PAGE_POLICY = (
    "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'self'"
)


def create_app(
    node: SuperNodeParts, *, behind_proxy: bool = False, free_from: Sequence[Network] = ()
) -> FastAPI:
    """All routes of one super node; `node` starts and stops apart from it."""
    app = FastAPI(
        title="CyberVein super node",
        description="Ledger, proofs, deals and live events (docs/wire.md section 6).",
        version="1",
        docs_url=None,
        redoc_url=None,
    )
    install_errors(app)
    app.add_middleware(RateLimit, buckets=Buckets())
    app.include_router(network_routes(node))
    app.include_router(chain_routes(node))
    app.include_router(market_routes(node))
    app.include_router(holding_routes(node))
    at_home = not behind_proxy and is_loopback(urlsplit(node.place.url).hostname or "")
    free_units = FreeUnits(node.desk.preset, exempt_loopback=at_home, exempt=free_from)
    app.include_router(submit_routes(node, free_units))
    app.include_router(signed_routes(node, Authenticator()))
    app.include_router(live_routes(node))
    app.include_router(metrics_routes(node))
    app.mount("/explorer", StaticFiles(directory=EXPLORER), name="explorer")

    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(
            EXPLORER / "index.html",
            headers={"content-security-policy": _PAGE_POLICY, "cache-control": "no-cache"},
        )

    limited = (RateError,)
    describe(app, everywhere={"/v1": limited, "/metrics": limited})
    return app
