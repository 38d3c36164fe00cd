"""Control routes: drain, disks added, drained, wiped; for the miner's own or its control key."""

import asyncio
from pathlib import Path
from typing import Final, Literal, TypeVar

from cybervein_protocol.api.decode import decode_document
from cybervein_protocol.api.document import Document
from cybervein_protocol.api.miner.disks import (
    DiskBody,
    DiskDocument,
    RemovedDocument,
    WipeBody,
    WipedDocument,
)
from cybervein_protocol.api.miner.drain import DrainBody, DrainDocument
from cybervein_protocol.errors import ConflictError, MalformedError, StorageError, UnknownError
from cybervein_runtime.http_server import read_body
from cybervein_runtime.openapi import JsonAnswer, answers, takes
from fastapi import FastAPI, Request

from cybervein_miner.api.acts import Control
from cybervein_miner.api.door import SIGNED, WITH_BODY, Door

BODY_BYTES_MAX: Final = 8192
Flag = Literal["true", "false"]
T = TypeVar("T", bound=Document)


def add_control(app: FastAPI, door: Door, control: Control) -> None:
    """The routes; each answers when its act is durable."""

    async def checked(request: Request, kind: type[T]) -> T:
        """The body of a request that is allowed."""
        body = await read_body(request, BODY_BYTES_MAX)
        door.control(request, body)
        what = f"{request.method} {request.url.path}"
        return decode_document(body, kind, what, BODY_BYTES_MAX)

    told = answers(DrainDocument, refuses=(*WITH_BODY, StorageError))

    @app.post("/v1/drain", **told, **takes(DrainBody))
    async def drain(request: Request) -> JsonAnswer:
        """Begin or cancel the drain of this miner."""
        draining = (await checked(request, DrainBody)).draining
        return JsonAnswer(await asyncio.to_thread(control.set_drain, draining=draining))

    @app.get("/v1/disks", **answers(DiskDocument, many=True, refuses=SIGNED))
    async def list_disks(request: Request) -> JsonAnswer:
        """All disks."""
        door.control(request, b"")
        return JsonAnswer(await asyncio.to_thread(control.disks.listing))

    refuses = (*WITH_BODY, ConflictError, StorageError)

    @app.post("/v1/disks", **answers(DiskDocument, status=201, refuses=refuses), **takes(DiskBody))
    async def add_disk(request: Request) -> JsonAnswer:
        """Claim a disk, look at a refused one again, or take one back."""
        body = await checked(request, DiskBody)
        await control.account_for(as_new=body.as_new)
        added = await asyncio.to_thread(control.add, Path(body.path), as_new=body.as_new)
        return JsonAnswer(added, status_code=201)

    refuses = (*SIGNED, MalformedError, UnknownError, StorageError)

    @app.delete("/v1/disks/{disk_id}", **answers(RemovedDocument, refuses=refuses))
    async def remove_disk(request: Request, disk_id: str, force: Flag = "false") -> JsonAnswer:
        """Drain a disk; forced, give it up at once."""
        door.control(request, b"")
        answer = await asyncio.to_thread(control.remove, disk_id, force=force == "true")
        return JsonAnswer(answer)

    refuses = (*WITH_BODY, UnknownError, ConflictError, StorageError)

    @app.post(
        "/v1/disks/{disk_id}/wipe", **answers(WipedDocument, refuses=refuses), **takes(WipeBody)
    )
    async def wipe_disk(request: Request, disk_id: str) -> JsonAnswer:
        """Delete CyberVein's files of a drained disk."""
        confirm = (await checked(request, WipeBody)).confirm
        return JsonAnswer(await asyncio.to_thread(control.wipe, disk_id, confirm))
