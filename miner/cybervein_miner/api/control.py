"""Control routes: drain, disks added, drained, wiped; for the miner's own or its control key."""

import asyncio
from pathlib import Path
from typing import Annotated, Final, Literal, TypeVar

import msgspec
from cybervein_protocol.errors import MalformedError
from cybervein_runtime.http_server import read_body
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from cybervein_miner.api.acts import Control
from cybervein_miner.api.documents import (
    DiskDocument,
    DrainDocument,
    RemovedDocument,
    WipedDocument,
    answers,
    describe,
    takes,
)
from cybervein_miner.api.door import Door

BODY_BYTES_MAX: Final = 8192
T = TypeVar("T", bound=msgspec.Struct)


class DrainBody(msgspec.Struct, forbid_unknown_fields=True):
    """Body of `POST /v1/drain`."""

    v: Literal[1]
    draining: bool


class DiskBody(msgspec.Struct, forbid_unknown_fields=True):
    """Body of `POST /v1/disks`."""

    path: Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]


class WipeBody(msgspec.Struct, forbid_unknown_fields=True):
    """Body of `POST /v1/disks/{id}/wipe`; `confirm` is the disk's id once more."""

    v: Literal[1]
    confirm: Annotated[str, msgspec.Meta(max_length=64)]


def add_control(app: FastAPI, door: Door, control: Control) -> None:
    """The routes; each answers when its act is durable."""
    describe(app, DrainBody, DiskBody, WipeBody)

    async def checked(request: Request, kind: type[T]) -> T:
        """The body of a request that is allowed."""
        body = await read_body(request, BODY_BYTES_MAX)
        door.control(request, body)
        try:
            return msgspec.json.decode(body, type=kind)
        except msgspec.DecodeError as error:
            raise MalformedError(f"{request.method} {request.url.path}: {error}") from error

    @app.post("/v1/drain", **answers(DrainDocument), **takes(DrainBody))
    async def drain(request: Request) -> JSONResponse:
        """Begin or cancel the drain of this miner."""
        draining = (await checked(request, DrainBody)).draining
        return JSONResponse(await asyncio.to_thread(control.set_drain, draining=draining))

    @app.get("/v1/disks", **answers(DiskDocument, many=True))
    async def list_disks(request: Request) -> JSONResponse:
        """All disks."""
        door.control(request, b"")
        return JSONResponse(await asyncio.to_thread(control.listing))

    @app.post("/v1/disks", **answers(DiskDocument, status=201), **takes(DiskBody))
    async def add_disk(request: Request) -> JSONResponse:
        """Claim a disk, look at a refused one again, or take one back."""
        path = (await checked(request, DiskBody)).path
        return JSONResponse(await asyncio.to_thread(control.add, Path(path)), status_code=201)

    @app.delete("/v1/disks/{disk_id}", **answers(RemovedDocument))
    async def remove_disk(request: Request, disk_id: str, force: str = "false") -> JSONResponse:
        """Drain a disk; forced, give it up at once."""
        door.control(request, b"")
        if force not in {"true", "false"}:
            raise MalformedError(f"force={force[:16]!r}: expected true or false")
        answer = await asyncio.to_thread(control.remove, disk_id, force=force == "true")
        return JSONResponse(answer)

    @app.post("/v1/disks/{disk_id}/wipe", **answers(WipedDocument), **takes(WipeBody))
    async def wipe_disk(request: Request, disk_id: str) -> JSONResponse:
        """Delete CyberVein's files of a drained disk."""
        confirm = (await checked(request, WipeBody)).confirm
        return JSONResponse(await asyncio.to_thread(control.wipe, disk_id, confirm))
