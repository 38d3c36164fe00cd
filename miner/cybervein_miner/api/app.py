"""The FastAPI application of a miner: all routes of docs/wire.md section 5."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from cybervein_protocol.encoding import encode
from cybervein_protocol.errors import MalformedError, UnavailableError
from cybervein_protocol.messages import decode_audit_request
from cybervein_protocol.messages.audits import AUDIT_REQUEST_BYTES_MAX
from cybervein_runtime.http_client import DAG_CBOR
from cybervein_runtime.http_server import install_errors, read_body
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.routing import Route

from cybervein_miner.api.audits import READ_BYTES_MAX, Auditee
from cybervein_miner.api.door import Door, number_of, root_of
from cybervein_miner.api.shards import PATH, SLICE_TYPE, ShardEndpoint
from cybervein_miner.shard.orders import OrderBook

DISK_BODY_BYTES_MAX: Final = 8192
Status = Callable[[], dict[str, Any]]
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


class DiskBody(msgspec.Struct, forbid_unknown_fields=True):
    """Body of `POST /v1/disks`."""

    path: Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]


class Disks:
    """What the API does with disks; `node.Node` provides it."""

    def listing(self) -> list[dict[str, Any]]:
        """All disks as JSON."""
        raise NotImplementedError

    def add(self, path: Path) -> dict[str, Any]:
        """Claim a disk (blocks)."""
        raise NotImplementedError

    def remove(self, disk_id: str, *, force: bool) -> dict[str, Any]:
        """Stop placing on a disk, and give it up if it is empty or forced (blocks)."""
        raise NotImplementedError


def build_app(  # noqa: PLR0913, PLR0917 -- built once, in node.py
    door: Door,
    shards: ShardEndpoint,
    auditee: Auditee,
    orders: OrderBook,
    disks: Disks,
    status: Status,
    ready: Callable[[], str],
    lifespan: Lifespan,
) -> FastAPI:
    """The application; `ready` says why it is not ready, or ""."""
    app = FastAPI(title="CyberVein miner", version="1", docs_url=None, lifespan=lifespan)
    install_errors(app)
    app.router.routes.append(Route(PATH, endpoint=shards))
    _add_public(app, status, ready)
    _add_super_node(app, door, auditee, orders)
    _add_owner(app, door, disks)
    return app


def _add_public(app: FastAPI, status: Status, ready: Callable[[], str]) -> None:
    @app.get("/v1/status")
    async def get_status() -> JSONResponse:
        return JSONResponse(status())

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz")
    async def readyz() -> dict[str, str]:
        if reason := ready():
            raise UnavailableError(reason)
        return {"status": "ok"}


def _add_super_node(app: FastAPI, door: Door, auditee: Auditee, orders: OrderBook) -> None:
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
            data = await asyncio.to_thread(auditee.read_plot, root, start, length)
        return Response(data, media_type=SLICE_TYPE)


def _add_owner(app: FastAPI, door: Door, disks: Disks) -> None:
    @app.get("/v1/disks")
    async def list_disks(request: Request) -> JSONResponse:
        door.owner(request, b"")
        return JSONResponse(disks.listing())

    @app.post("/v1/disks")
    async def add_disk(request: Request) -> JSONResponse:
        body = await read_body(request, DISK_BODY_BYTES_MAX)
        door.owner(request, body)
        try:
            path = msgspec.json.decode(body, type=DiskBody).path
        except msgspec.DecodeError as error:
            raise MalformedError(f"POST /v1/disks: {error}") from error
        return JSONResponse(await asyncio.to_thread(disks.add, Path(path)), status_code=201)

    @app.delete("/v1/disks/{disk_id}")
    async def remove_disk(request: Request, disk_id: str, force: str = "false") -> JSONResponse:
        door.owner(request, b"")
        if force not in {"true", "false"}:
            raise MalformedError(f"force={force[:16]!r}: expected true or false")
        answer = await asyncio.to_thread(disks.remove, disk_id, force=force == "true")
        return JSONResponse(answer)
