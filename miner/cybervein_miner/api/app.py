"""The FastAPI application of a miner: all routes of docs/wire.md section 5."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from cybervein_protocol.encoding import encode
from cybervein_protocol.messages import decode_audit_request
from cybervein_protocol.messages.audits import AUDIT_REQUEST_BYTES_MAX
from cybervein_runtime.http_client import DAG_CBOR
from cybervein_runtime.http_errors import install_errors
from cybervein_runtime.http_server import read_body
from cybervein_runtime.probes import Probes, add_probes
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.routing import Route

from cybervein_miner.api.acts import Control
from cybervein_miner.api.audits import READ_BYTES_MAX, Auditee
from cybervein_miner.api.control import add_control
from cybervein_miner.api.documents import StatusDocument, answers
from cybervein_miner.api.door import Door, number_of, root_of
from cybervein_miner.api.shards import PATH, SLICE_TYPE, ShardEndpoint
from cybervein_miner.api.throttle import Throttle
from cybervein_miner.shard.orders import OrderBook

Status = Callable[[], dict[str, Any]]
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def build_app(  # noqa: PLR0913, PLR0917 -- built once, in node.py
    door: Door,
    shards: ShardEndpoint,
    auditee: Auditee,
    orders: OrderBook,
    throttle: Throttle,
    control: Control,
    status: Status,
    probes: Probes,
    lifespan: Lifespan,
) -> FastAPI:
    """The application."""
    app = FastAPI(title="CyberVein miner", version="1", docs_url=None, lifespan=lifespan)
    install_errors(app)
    app.router.routes.append(Route(PATH, endpoint=shards))
    add_probes(app, probes)
    add_control(app, door, control)
    _add_super_node(app, door, auditee, orders, throttle)

    @app.get("/v1/status", **answers(StatusDocument))
    async def get_status() -> JSONResponse:
        """Everything about this miner."""
        return JSONResponse(status())

    return app


def _add_super_node(
    app: FastAPI, door: Door, auditee: Auditee, orders: OrderBook, throttle: Throttle
) -> None:
    @app.post("/v1/audit")
    async def audit(request: Request) -> Response:
        body = await read_body(request, AUDIT_REQUEST_BYTES_MAX)
        door.super_node(request, body)
        with door.audits.enter():
            answer = await asyncio.to_thread(auditee.answer, decode_audit_request(body))
        return Response(encode(answer), media_type=DAG_CBOR)

    @app.get("/v1/plots/{gamma}")
    async def read_plot(request: Request, gamma: str) -> Response:
        root = root_of(gamma)
        order = door.ordered(request, "READ", root)
        start = number_of(request, "offset", (1 << 63) - 1)
        length = number_of(request, "length", READ_BYTES_MAX)
        await orders.charge(order, length)
        with door.downloads.enter():
            await asyncio.sleep(throttle.delay(length))
            data = await asyncio.to_thread(auditee.read_plot, root, start, length)
        return Response(data, media_type=SLICE_TYPE)
