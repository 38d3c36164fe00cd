"""PUT, GET and DELETE of shards, in bare ASGI; `bodies` moves the bytes.

What fails leaves nothing behind, and a finished upload is answered only when bytes and index are
synced.
"""

import asyncio
import os
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from cybervein_protocol.encoding import cid_text, encode
from cybervein_protocol.errors import (
    CyberVeinError,
    ForbiddenError,
    LimitError,
    MalformedError,
    StorageError,
)
from cybervein_protocol.messages import Order, sign_receipt
from cybervein_protocol.signing import KeyPair
from cybervein_runtime.http_client import DAG_CBOR
from cybervein_runtime.http_errors import error_response, method_refused
from cybervein_runtime.parameters import NUMBER_MAX, parse_root
from fastapi import Request, Response
from starlette.types import Receive, Scope, Send

from cybervein_miner.api.arrivals import Arrivals
from cybervein_miner.api.bodies import StoredBytes, receive_body, send_file
from cybervein_miner.api.bulk import PeerGoneError
from cybervein_miner.api.door import Door, number_of
from cybervein_miner.api.throttle import Throttle
from cybervein_miner.disk.daemons import begin
from cybervein_miner.disk.threads import answer_in_time, in_time
from cybervein_miner.record.tally import Tally
from cybervein_miner.shard.index import Claim, HeldShard
from cybervein_miner.shard.layout import shard_path
from cybervein_miner.shard.orders import OrderBook, require_left
from cybervein_miner.shard.store import ShardStore

METHODS: Final = ("PUT", "GET", "DELETE")
PATH: Final = "/v1/shards/{root}"
SLICE_TYPE: Final = "application/vnd.cybervein.slice"
SHARD_BYTES_MAX: Final = 64 << 20
SLICE_BYTES_MAX: Final = 16 << 20
INDEX_MAX: Final = 255
FINISH_SECONDS: Final = 90.0
"""Syncing a shard onto a disk that is busy with plots takes its time."""
SEND_SECONDS: Final = 60.0
"""For a piece; the peer's part of it is bounded by the stall limit."""


@dataclass(kw_only=True, eq=False)
class ShardEndpoint:
    """The ASGI application behind `/v1/shards/{root}`."""

    key: KeyPair
    door: Door
    store: ShardStore
    orders: OrderBook
    tally: Tally
    throttle: Throttle
    arrivals: Arrivals = field(default_factory=Arrivals)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; an error before the first byte of the answer becomes JSON."""
        request = Request(scope, receive)
        try:
            response = await self._answer(request, send)
        except CyberVeinError as error:
            self.tally.refused += 1
            response = error_response(error)
        except PeerGoneError:
            return
        if response is not None:
            await response(scope, receive, send)

    async def _answer(self, request: Request, send: Send) -> Response | None:
        if request.method not in METHODS:
            return method_refused(request)
        root = parse_root(request.path_params["root"])
        if request.method == "PUT":
            with self.door.uploads.enter():
                return await self._put(request, root)
        if request.method == "GET":
            with self.door.downloads.enter():
                return await self._get(request, root, send)
        return await self._delete(request, root)

    async def _put(self, request: Request, root: bytes) -> Response:
        order = self.door.ordered(request, "PUT", root)
        if self.door.closed():
            raise StorageError(
                "this miner is draining and accepts nothing new; ask for another miner"
            )
        if order.deal is None:
            raise ForbiddenError("a PUT order must name the deal that pays; this one names none")
        segment = number_of(request, "segment", NUMBER_MAX)
        claim = Claim(order.deal, segment, number_of(request, "index", INDEX_MAX), order.bearer)
        row = self.store.index.find(root)
        kept = row is not None and self.store.keeps(row)
        if row is not None and kept and await self.store.claim_again(root, claim):
            return self._receipt(root, row.size, claim)
        size = _announced(request, order)
        require_left(order, self.orders.used(order), size)
        try:
            await self._receive(request, root, size, claim, order)
        except (CyberVeinError, PeerGoneError):
            self.tally.upload_failures += 1
            raise
        self.tally.uploads += 1
        self.tally.upload_bytes += size
        return self._receipt(root, size, claim)

    async def _receive(
        self, request: Request, root: bytes, size: int, claim: Claim, order: Order
    ) -> None:
        async with (
            self.arrivals.turn(root, order.bearer, request) as arrival,
            self.store.receiving(root, size) as incoming,
        ):
            await receive_body(request, incoming, self.throttle, arrival.moved)
            await in_time(incoming.finish, f"store shard {root.hex()[:16]}", FINISH_SECONDS)
            await self.store.accept(incoming, claim, order)

    def _receipt(self, root: bytes, size: int, claim: Claim) -> Response:
        receipt = sign_receipt(
            self.key,
            network=self.door.network,
            deal=claim.deal,
            segment=claim.segment,
            index=claim.place,
            root=root,
            size=size,
        )
        return Response(encode(receipt), status_code=201, media_type=DAG_CBOR)

    def _owners(self, root: bytes) -> set[bytes]:
        return {claim.owner for claim in self.store.index.claims(root)}

    async def _get(self, request: Request, root: bytes, send: Send) -> Response | None:
        order = self.door.ordered(request, "GET", root, self._owners(root))
        row = self.store.reader.held(root)
        if "offset" in request.query_params or "length" in request.query_params:
            return await self._slice(request, row, order)
        await self._whole(request, row, order, send)
        return None

    async def _slice(self, request: Request, row: HeldShard, order: Order) -> Response:
        start = number_of(request, "offset", row.size)
        length = number_of(request, "length", SLICE_BYTES_MAX)
        content = min(length, row.size - start)
        await self.orders.charge(order, content)
        await asyncio.sleep(self.throttle.delay(content))
        try:
            read = partial(self.store.reader.slice, row, start, length)
            data = await in_time(read, f"read shard {row.root.hex()[:16]}")
        except CyberVeinError:
            await self._not_sent(order, content)
            raise
        self._count_download(content)
        return Response(data, media_type=SLICE_TYPE)

    async def _whole(self, request: Request, row: HeldShard, order: Order, send: Send) -> None:
        """Once the answer has begun, a failure can only cut it short; the reader sees that."""
        await self.orders.charge(order, row.size)
        doing = f"send shard {row.root.hex()[:16]}"
        try:
            handle = await self._opened(row, doing)
        except CyberVeinError:
            await self._not_sent(order, row.size)
            raise
        try:
            with (
                self.store.reader.reading(row, None) as disk,
                disk.calls.under_way(doing, SEND_SECONDS) as call,
            ):
                stored = StoredBytes(disk, shard_path(disk, row.root), handle, row.size, call)
                await send_file(request, send, stored, self.throttle)
        except (StorageError, PeerGoneError) as error:
            await self._not_sent(order, row.size)
            raise PeerGoneError(str(error)) from error
        finally:
            os.close(handle)
        self._count_download(row.size)

    async def _opened(self, row: HeldShard, doing: str) -> int:
        """Its file; one that a slow disk opens when nobody waits any more is closed then."""
        opening = begin(partial(self.store.reader.open, row), doing)
        try:
            return await answer_in_time(opening, doing)
        except BaseException:
            opening.add_done_callback(_close_late)
            raise

    async def _not_sent(self, order: Order, count: int) -> None:
        """What was charged for bytes that did not go out is the bearer's again."""
        self.tally.download_failures += 1
        await self.orders.charge(order, -count)

    def _count_download(self, count: int) -> None:
        self.tally.downloads += 1
        self.tally.download_bytes += count

    async def _delete(self, request: Request, root: bytes) -> Response:
        order = self.door.ordered(request, "DELETE", root, self._owners(root))
        if order.deal is None:
            raise ForbiddenError(
                "a DELETE order must name the deal that gives the shard up; this one names none"
            )
        owners = {c.owner for c in self.store.index.claims(root) if c.deal == order.deal}
        if order.issuer not in self.door.super_nodes | owners:
            raise ForbiddenError(f"deal {cid_text(order.deal)} is not the order issuer's")
        self.store.reader.held(root)
        await self.store.delete(root, order.deal)
        self.tally.deletes += 1
        return Response(status_code=204)


def _close_late(opening: Future[int]) -> None:
    if opening.exception() is None:
        os.close(opening.result())


def _announced(request: Request, order: Order) -> int:
    """The body's size, which must be announced. Raises MalformedError or LimitError."""
    text = request.headers.get("content-length", "")
    if not text.isdigit():
        raise MalformedError("a shard is sent with its Content-Length; chunked bodies are refused")
    size, most = int(text), min(order.max_bytes, SHARD_BYTES_MAX)
    if size > most:
        raise LimitError(f"shard of {size} bytes: the order allows {most}; ask for a larger order")
    return size
