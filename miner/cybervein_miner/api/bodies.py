"""A shard's bytes between the peer and the disk, piece by piece, held to the throttle.

They go past the event loop where the server lends its socket (`bulk`); under another server, as in
tests, through ASGI.
"""

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fastapi import Request
from starlette.types import Send

from cybervein_miner.api.bulk import EXTENSION, PIECE_BYTES, STALL_SECONDS, Bulk, PeerGoneError
from cybervein_miner.api.throttle import Throttle
from cybervein_miner.disk.calls import Call
from cybervein_miner.disk.disk import Disk
from cybervein_miner.shard.incoming import Incoming


@dataclass(frozen=True, slots=True)
class StoredBytes:
    """An open file of `size` bytes on a disk; `call` knows whom we wait for while it is sent."""

    disk: Disk
    path: Path
    handle: int
    size: int
    call: Call

    def piece(self, offset: int) -> bytes:
        """What lies at an offset. Raises StorageError."""
        with self.disk.guard("read a shard", file=self.path):
            return os.pread(self.handle, PIECE_BYTES, offset)


async def receive_body(
    request: Request, incoming: Incoming, throttle: Throttle, moved: Callable[[], None]
) -> None:
    """The body into the file: its first piece through ASGI, the rest past it where possible.

    `moved` is told, in any thread, whenever a piece came.
    """

    def write(data: bytes | memoryview) -> None:
        moved()
        throttle.pace(len(data))  # what is not read yet waits at the peer
        incoming.write(data)

    bulk: Bulk | None = request.scope.get("extensions", {}).get(EXTENSION)
    received, more = 0, True
    while more and (bulk is None or received == 0):
        data, more = await _next(request)
        await asyncio.to_thread(write, data)
        received += len(data)
    if more and bulk is not None:
        await bulk.receive_rest(received, incoming.size, write, throttle.piece)


async def _next(request: Request) -> tuple[bytes, bool]:
    """The body's next piece, and whether more comes. Raises PeerGoneError."""
    try:
        async with asyncio.timeout(STALL_SECONDS):
            message = await request.receive()
    except TimeoutError as error:
        raise PeerGoneError(f"nothing came in {STALL_SECONDS:.0f} s") from error
    if message["type"] == "http.disconnect":
        raise PeerGoneError("the connection ended within the body")
    return message.get("body", b""), message.get("more_body", False)


async def send_file(request: Request, send: Send, stored: StoredBytes, throttle: Throttle) -> None:
    """The file as the answer: past the event loop where possible."""
    bulk: Bulk | None = request.scope.get("extensions", {}).get(EXTENSION)

    def pace(count: int) -> None:
        stored.call.rest()
        throttle.pace(count)
        stored.call.beat()

    stored.call.rest()
    await send(_start(stored.size))
    if bulk is not None:
        await bulk.send_file(
            stored.handle, stored.size, pace, throttle.piece, waited=stored.call.beat
        )
    else:
        for offset in range(0, stored.size, PIECE_BYTES):
            piece = await asyncio.to_thread(stored.piece, offset)
            await asyncio.sleep(throttle.delay(len(piece)))
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def _start(size: int) -> dict[str, object]:
    return {
        "type": "http.response.start",
        "status": 200,
        "headers": [
            (b"content-type", b"application/octet-stream"),
            (b"content-length", b"%d" % size),
        ],
    }
