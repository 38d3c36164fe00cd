"""The FastAPI application of a miner: all routes of docs/wire.md section 5."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from typing import Annotated

from cybervein_protocol.api.miner.status import StatusDocument
from cybervein_protocol.encoding import encode
from cybervein_protocol.errors import StorageError, UnknownError
from cybervein_protocol.messages import decode_audit_request
from cybervein_protocol.messages.audits import AUDIT_REQUEST_BYTES_MAX
from cybervein_runtime.http_client import DAG_CBOR
from cybervein_runtime.http_errors import install_errors
from cybervein_runtime.http_server import read_body
from cybervein_runtime.openapi import JsonAnswer, answers, answers_bytes, describe, takes_bytes
from cybervein_runtime.parameters import DIGITS, Root, Whole
from cybervein_runtime.probes import Probes, add_probes
from fastapi import FastAPI, Request, Response
from pydantic import Field
from starlette.routing import Route

from cybervein_miner.api.acts import Control
from cybervein_miner.api.audits import READ_BYTES_MAX, Auditee
from cybervein_miner.api.control import add_control
from cybervein_miner.api.door import ORDERED, WITH_BODY, Door
from cybervein_miner.api.shard_routes import describe_shards
from cybervein_miner.api.shards import METHODS, PATH, SLICE_TYPE, ShardEndpoint
from cybervein_miner.api.throttle import Throttle
from cybervein_miner.disk.threads import in_time
from cybervein_miner.shard.orders import OrderBook

Length = Annotated[int, Field(ge=0, le=READ_BYTES_MAX), DIGITS]
Status = Callable[[], StatusDocument]
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Border:
    """What answers at each route."""

    door: Door
    shards: ShardEndpoint
    auditee: Auditee
    orders: OrderBook
    throttle: Throttle
    control: Control
    status: Status
    probes: Probes


def build_app(border: Border, lifespan: Lifespan) -> FastAPI:
    """The application."""
    app = FastAPI(title="CyberVein miner", version="1", docs_url=None, lifespan=lifespan)
    install_errors(app)
    app.router.routes.append(Route(PATH, endpoint=border.shards, methods=METHODS))
    describe_shards(app)
    add_probes(app, border.probes)
    add_control(app, border.door, border.control)
    _add_super_node(app, border)

    @app.get("/v1/status", **answers(StatusDocument))
    async def get_status() -> JsonAnswer:
        """Everything about this miner."""
        return JsonAnswer(border.status())

    describe(app)
    return app


def _add_super_node(app: FastAPI, border: Border) -> None:
    door, auditee = border.door, border.auditee
    kept = (UnknownError, StorageError)

    @app.post(
        "/v1/audit",
        **answers_bytes(DAG_CBOR, "AuditAnswer.", refuses=(*WITH_BODY, *kept)),
        **takes_bytes(DAG_CBOR, "AuditRequest."),
    )
    async def audit(request: Request) -> Response:
        """Chunks of shards with their proofs, for a super node."""
        body = await read_body(request, AUDIT_REQUEST_BYTES_MAX)
        door.super_node(request, body)
        with door.audits.enter():
            answer = await asyncio.to_thread(auditee.answer, decode_audit_request(body))
        return Response(encode(answer), media_type=DAG_CBOR)

    read = answers_bytes(SLICE_TYPE, "A Bao slice.", refuses=(*ORDERED, *kept))

    @app.get("/v1/plots/{gamma}", **read)
    async def read_plot(request: Request, gamma: Root, offset: Whole, length: Length) -> Response:
        """A range of a plot's file with its proof, for a super node with an order."""
        order = door.ordered(request, "READ", gamma)
        await border.orders.charge(order, length)
        with door.downloads.enter():
            await asyncio.sleep(border.throttle.delay(length))
            data = await in_time(partial(auditee.read_plot, gamma, offset, length), "read the plot")
        return Response(data, media_type=SLICE_TYPE)
