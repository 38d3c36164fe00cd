"""A small real HTTP server that stands for a miner and misbehaves in defined ways on request.

Only for what cannot be had from a real miner: wrong bytes, admitted loss, silence, slowness,
answers of another question. With no misbehaviour set it answers as docs/wire.md section 5 says.
"""

import asyncio

import msgspec
from aiohttp import web
from cybervein_protocol.api.miner.status import StatusDocument
from cybervein_protocol.encoding import encode
from cybervein_protocol.messages import (
    AuditSlice,
    decode_audit_request,
    order_from_header,
    sign_audit_answer,
    sign_receipt,
)
from cybervein_protocol.signing import KeyPair, address
from cybervein_protocol.tree import root_and_outboard, slice_of
from documents import made
from multiformats import CID

FREE_BYTES = 1 << 30


class FakeMiner:
    """Holds shards in memory. `misbehave` is one of the words used below, or empty."""

    def __init__(self, network: CID, name: str) -> None:
        self.key = KeyPair(name.encode().ljust(32, b"."))
        self.network, self.name = network, name
        self.shards: dict[bytes, bytes] = {}
        self.misbehave = ""
        self.draining = False
        self.audits = 0
        self.released = asyncio.Event()
        self.seconds_per_read = 0.0
        self.url = ""
        app = web.Application(client_max_size=1 << 26)
        app.router.add_get("/v1/status", self._status)
        app.router.add_post("/v1/audit", self._audit)
        app.router.add_get("/v1/shards/{root}", self._get)
        app.router.add_put("/v1/shards/{root}", self._put)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)

    async def start(self) -> None:
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        self.released.set()
        await self._runner.cleanup()

    def receipt(self, deal: CID, index: int, root: bytes, size: int) -> bytes:
        """Its signature over holding a shard of segment 0."""
        return sign_receipt(
            self.key, network=self.network, deal=deal, segment=0, index=index, root=root, size=size
        ).sig

    async def _status(self, request: web.Request) -> web.Response:
        del request
        key = KeyPair(b"z" * 32).public if self.misbehave == "another's status" else self.key.public
        known = {"address": address(key), "free_bytes": FREE_BYTES, "draining": self.draining}
        known["instance"] = self.key.public.hex()[:8]
        status = msgspec.json.encode(made(StatusDocument, **known))
        if self.misbehave == "a malformed status":
            status = status.replace(b'"free_bytes":', b'"free_bytes":-')
        return web.Response(body=status, content_type="application/json")

    async def _audit(self, request: web.Request) -> web.Response:
        self.audits += 1
        asked = decode_audit_request(await request.read())
        if self.misbehave == "silence":
            await self.released.wait()
        if self.misbehave == "no audit":
            return web.json_response({"error": "storage", "message": "disk is away"}, status=507)
        if self.misbehave == "silence once" and self.audits == 1:
            return web.Response(status=503)
        answers = [self._slice(item.root, item.chunk) for item in asked.items]
        key = KeyPair(b"z" * 32) if self.misbehave == "another's signature" else self.key
        answer = sign_audit_answer(
            key,
            network=self.network,
            epoch=asked.epoch - (self.misbehave == "old answer"),
            holding=asked.holding,
            answers=answers[:-1] if self.misbehave == "fewer answers" else answers,
        )
        return web.Response(body=encode(answer))

    def _slice(self, root: bytes, chunk: int) -> AuditSlice:
        data = self.shards.get(root)
        if data is None or self.misbehave == "admitted loss":
            return AuditSlice(root=root, chunk=chunk, slice=None)
        return AuditSlice(root=root, chunk=chunk, slice=self._opened(data, chunk * 1024, 1024))

    def _opened(self, data: bytes, start: int, length: int) -> bytes:
        _, outboard = root_and_outboard(data)
        made = slice_of(lambda at, n: data[at : at + n], len(data), outboard, start, length)
        return _flipped(made) if self.misbehave == "wrong bytes" else made

    async def _get(self, request: web.Request) -> web.Response:
        data = self.shards[bytes.fromhex(request.match_info["root"])]
        if self.misbehave == "silence":
            await self.released.wait()
        await asyncio.sleep(self.seconds_per_read)
        if "offset" not in request.query:
            return web.Response(body=_flipped(data) if self.misbehave == "wrong bytes" else data)
        start, length = int(request.query["offset"]), int(request.query["length"])
        return web.Response(body=self._opened(data, start, length))

    async def _put(self, request: web.Request) -> web.Response:
        order = order_from_header(request.headers["cybervein-order"])
        data = await request.read()
        segment, index = int(request.query["segment"]), int(request.query["index"])
        if self.misbehave == "refuses":
            return web.json_response({"error": "storage", "message": "disk is full"}, status=507)
        assert order.deal is not None
        self.shards[order.root] = data
        receipt = sign_receipt(
            self.key,
            network=self.network,
            deal=order.deal,
            segment=segment,
            index=index + (self.misbehave == "receipt of another shard"),
            root=order.root,
            size=len(data),
        )
        return web.Response(body=encode(receipt), status=201)


def _flipped(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])
