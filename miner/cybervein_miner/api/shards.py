"""PUT, GET and DELETE of shards, in bare ASGI.

An upload's pieces are handed to a thread a mebibyte at a time, as they came from the socket: the
thread writes and hashes with the GIL released while the loop receives on. A download reads ahead in
a thread likewise. What fails leaves nothing behind, and a finished upload is answered only when
bytes and index are synced.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Final

from cybervein_protocol.encoding import cid_text, encode
from cybervein_protocol.errors import (
    CyberVeinError,
    ForbiddenError,
    LimitError,
    MalformedError,
    StorageError,
    UnavailableError,
)
from cybervein_protocol.messages import Order, sign_receipt
from cybervein_protocol.signing import KeyPair
from cybervein_runtime.http_client import DAG_CBOR
from cybervein_runtime.http_server import error_response
from fastapi import Request, Response
from starlette.types import Receive, Scope, Send

from cybervein_miner.api.door import Door, number_of, root_of
from cybervein_miner.disk.disk import Disk
from cybervein_miner.shard.incoming import Incoming
from cybervein_miner.shard.index import Claim, ShardRow, ShardState
from cybervein_miner.shard.orders import OrderBook, require_left
from cybervein_miner.shard.store import ShardStore
from cybervein_miner.tally import Tally

PATH: Final = "/v1/shards/{root}"
SLICE_TYPE: Final = "application/vnd.cybervein.slice"
SHARD_BYTES_MAX: Final = 64 << 20
SLICE_BYTES_MAX: Final = 16 << 20
PIECE_BYTES: Final = 1 << 20
STALL_SECONDS: Final = 30
_SEGMENTS_MAX = (1 << 63) - 1
_INDEX_MAX = 255


class ShardEndpoint:
    """The ASGI application behind `/v1/shards/{root}`."""

    def __init__(
        self, key: KeyPair, door: Door, store: ShardStore, orders: OrderBook, tally: Tally
    ) -> None:
        self._key, self._door, self._store = key, door, store
        self._orders, self._tally = orders, tally

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; an error before the first byte of the answer becomes JSON."""
        request = Request(scope, receive)
        try:
            response = await self._answer(request, send)
        except CyberVeinError as error:
            self._tally.refused += 1
            response = error_response(error)
        except _GoneError:
            return
        if response is not None:
            await response(scope, receive, send)

    async def _answer(self, request: Request, send: Send) -> Response | None:
        root = root_of(request.path_params["root"])
        if request.method == "PUT":
            with self._door.uploads.enter():
                return await self._put(request, root)
        if request.method == "GET":
            with self._door.downloads.enter():
                return await self._get(request, root, send)
        if request.method == "DELETE":
            return await self._delete(request, root)
        return Response(status_code=405, headers={"allow": "PUT, GET, DELETE"})

    async def _put(self, request: Request, root: bytes) -> Response:
        order = self._door.ordered(request, "PUT", root)
        if order.deal is None:
            raise ForbiddenError("a PUT order names the deal that pays; this one names none")
        segment = number_of(request, "segment", _SEGMENTS_MAX)
        claim = Claim(order.deal, segment, number_of(request, "index", _INDEX_MAX), order.bearer)
        row = self._store.index.find(root)
        if row is not None and row.state is ShardState.HELD:
            await self._store.claim_again(root, claim)
            return self._receipt(root, row.size, claim)
        size = _announced(request, order)
        require_left(order, self._orders.used(order), size)
        try:
            await self._receive(request, root, size, claim, order)
        except (CyberVeinError, _GoneError):
            self._tally.upload_failures += 1
            raise
        self._tally.uploads += 1
        self._tally.upload_bytes += size
        return self._receipt(root, size, claim)

    async def _receive(
        self, request: Request, root: bytes, size: int, claim: Claim, order: Order
    ) -> None:
        with self._store.receive(root, size) as incoming:
            writing: asyncio.Task[None] | None = None
            try:
                async for pieces in _pieces(request.receive):
                    if writing is not None:
                        await writing
                    writing = asyncio.create_task(asyncio.to_thread(incoming.write, pieces))
            finally:
                await _finished(writing)
            await self._keep(incoming, claim, order)

    async def _keep(self, incoming: Incoming, claim: Claim, order: Order) -> None:
        await asyncio.to_thread(incoming.finish)
        await self._store.accept(incoming, claim, order)

    def _receipt(self, root: bytes, size: int, claim: Claim) -> Response:
        receipt = sign_receipt(
            self._key,
            network=self._door.network,
            deal=claim.deal,
            segment=claim.segment,
            index=claim.place,
            root=root,
            size=size,
        )
        return Response(encode(receipt), status_code=201, media_type=DAG_CBOR)

    def _owners(self, root: bytes) -> set[bytes]:
        return {claim.owner for claim in self._store.index.claims(root)}

    async def _get(self, request: Request, root: bytes, send: Send) -> Response | None:
        order = self._door.ordered(request, "GET", root, self._owners(root))
        row = self._store.held(root)
        if "offset" in request.query_params or "length" in request.query_params:
            return await self._slice(request, row, order)
        await self._whole(row, order, send)
        return None

    async def _slice(self, request: Request, row: ShardRow, order: Order) -> Response:
        start = number_of(request, "offset", row.size)
        length = number_of(request, "length", SLICE_BYTES_MAX)
        content = min(length, row.size - start)
        await self._orders.charge(order, content)
        try:
            data = await asyncio.to_thread(self._store.slice, row, start, length)
        except CyberVeinError:
            self._tally.download_failures += 1
            await self._orders.charge(order, -content)
            raise
        self._count_download(content)
        return Response(data, media_type=SLICE_TYPE)

    async def _whole(self, row: ShardRow, order: Order, send: Send) -> None:
        disk, handle = await asyncio.to_thread(self._store.open, row)
        sent = 0
        try:
            first = await asyncio.to_thread(_read, disk, handle, 0)
            await self._orders.charge(order, row.size)
            await send(_start(row.size))
            async for piece in _read_ahead(disk, handle, first):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                sent += len(piece)
            if sent == row.size:
                await send({"type": "http.response.body", "body": b""})
        except (StorageError, OSError) as error:
            self._tally.download_failures += 1
            if not sent:
                raise
            raise _GoneError from error  # the answer has begun: a short body tells the reader
        finally:
            os.close(handle)
            if sent < row.size:
                await self._orders.charge(order, sent - row.size)
        self._count_download(sent)

    def _count_download(self, count: int) -> None:
        self._tally.downloads += 1
        self._tally.download_bytes += count

    async def _delete(self, request: Request, root: bytes) -> Response:
        order = self._door.ordered(request, "DELETE", root, self._owners(root))
        if order.deal is None:
            raise ForbiddenError("a DELETE order names the deal that gives up; this one names none")
        owners = {c.owner for c in self._store.index.claims(root) if c.deal == order.deal}
        if order.issuer not in self._door.super_nodes | owners:
            raise ForbiddenError(f"deal {cid_text(order.deal)} is not the order issuer's")
        self._store.held(root)
        await self._store.delete(root, order.deal)
        self._tally.deletes += 1
        return Response(status_code=204)


class _GoneError(Exception):
    """The peer closed the connection: there is nobody to answer."""


def _announced(request: Request, order: Order) -> int:
    """The body's size, which must be announced. Raises MalformedError or LimitError."""
    text = request.headers.get("content-length", "")
    if not text.isdigit():
        raise MalformedError("a shard is sent with its Content-Length; chunked bodies are refused")
    size, most = int(text), min(order.max_bytes, SHARD_BYTES_MAX)
    if size > most:
        raise LimitError(f"shard of {size} bytes: the order allows {most}; ask for a larger order")
    return size


async def _pieces(receive: Receive) -> AsyncIterator[list[bytes]]:
    """The body in lists of about a mebibyte, each of which must come within the stall limit."""
    more = True
    while more:
        pieces: list[bytes] = []
        count = 0
        try:
            async with asyncio.timeout(STALL_SECONDS):
                while more and count < PIECE_BYTES:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise _GoneError
                    more = message.get("more_body", False)
                    pieces.append(message.get("body", b""))
                    count += len(pieces[-1])
        except TimeoutError as error:
            raise UnavailableError(
                f"upload stalled: {count} bytes in {STALL_SECONDS} s; send it again"
            ) from error
        yield pieces


async def _finished(task: asyncio.Task[None] | None) -> None:
    """Let the thread end before its file is closed; its error, if any, is the upload's."""
    if task is not None:
        await asyncio.wait([task])
        task.result()


def _start(size: int) -> dict[str, object]:
    return {
        "type": "http.response.start",
        "status": 200,
        "headers": [
            (b"content-type", b"application/octet-stream"),
            (b"content-length", b"%d" % size),
        ],
    }


def _read(disk: Disk, handle: int, offset: int) -> bytes:
    with disk.guard("read a shard"):
        return os.pread(handle, PIECE_BYTES, offset)


async def _read_ahead(disk: Disk, handle: int, first: bytes) -> AsyncIterator[bytes]:
    """The file's pieces; the next is read while the last is being sent."""
    piece, offset = first, 0
    while piece:
        offset += len(piece)
        following = asyncio.create_task(asyncio.to_thread(_read, disk, handle, offset))
        try:
            yield piece
        finally:
            with suppress(StorageError, OSError):
                await asyncio.wait([following])
        piece = following.result()
