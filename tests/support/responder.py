"""Miners and super nodes played by one server, for any number of identities.

`http://127.0.0.1:PORT/miners/NAMESPACE/MINER/v1/...` is a miner, and a super node is at
`/supernodes/NAMESPACE/NETWORK/...`. Signatures are verified by the real code, and every status is
checked against the schema of what a miner says before it is sent.
"""

import asyncio
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import web
from blake3 import blake3
from cybervein_protocol.api.document import Document
from cybervein_protocol.api.miner.disks import DiskDocument, RemovedDocument, WipedDocument
from cybervein_protocol.api.miner.drain import DrainDocument
from cybervein_protocol.api.miner.status import LedgerDocument, StatusDocument
from cybervein_protocol.api.super_node.backup import BackupDocument
from cybervein_protocol.api.super_node.miners import ListedMiner, MinerListing
from cybervein_protocol.api.super_node.network import NetworkDocument
from cybervein_protocol.errors import CyberVeinError
from cybervein_protocol.http_signature import SignableRequest, verify_request
from cybervein_protocol.signing import KeyPair, address
from documents import made
from waiting import DEADLINE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, Any]
_COVERED = ("signature-input", "signature", "content-digest")
GIB = 1 << 30


def checked(document: Json, kind: type[msgspec.Struct]) -> Json:
    """The document, if a miner would say it: its OpenAPI page is made of these types."""
    msgspec.convert(document, kind, strict=True)
    return document


@dataclass
class FakeDisk:
    """One disk of a miner."""

    name: str
    state: str = "ready"
    reason: str = ""
    leaving: bool = False
    shards: int = 0
    plots: int = 2
    drains: bool = True
    """Empties at once when told to; a test may hold it back."""

    @property
    def id(self) -> str:
        return f"disk-{self.name}"

    def document(self) -> Json:
        kept = {"plots": self.plots, "shards": self.shards, "bytes": self.shards * 4096}
        left = kept if self.leaving else {"plots": 0, "shards": 0, "bytes": 0}
        return {
            "id": self.id,
            "path": f"/var/lib/cybervein/disks/{self.name}",
            "state": self.state,
            "reason": self.reason,
            "leaving": self.leaving,
            "placeable": self.state == "ready" and not self.leaving,
            "io_errors": 0,
            "capacity_bytes": GIB,
            "free_bytes": GIB // 2,
            "floor_bytes": GIB // 100,
            "available_bytes": GIB // 4,
            "plots": self.plots,
            "plot_bytes": self.plots << 19,
            "shards": self.shards,
            "shard_bytes": self.shards * 4096,
            "shards_bad": 0,
            "remaining": left,
        }


@dataclass
class PlayedMiner:
    """What one miner says; tests change it."""

    address: str
    disks: dict[str, FakeDisk]
    network: str
    epoch: int = 5
    proved: int | None = 5
    held: int = 0
    plots_live: int = 0
    promised: int = 0
    draining: bool = False
    blocked_by: str = ""
    down: bool = False
    holds: bool = False
    """Keeps its shards while draining, until a test lets go."""
    url: str = "http://miner:4100"
    ledger: Json | None = None
    """What it says of the ledger; None: nothing, as version 0.2.0."""
    calls: list[str] = field(default_factory=list)

    @property
    def drained(self) -> bool:
        return self.draining and (self.held, self.plots_live, self.promised) == (0, 0, 0)

    def drain_document(self) -> Json:
        drain = {
            "final": self.draining,
            "plots_live": self.plots_live if self.draining else 0,
            "remaining": self.held if self.draining else 0,
            "promised": self.promised if self.draining else 0,
            "blocked_by": self.blocked_by if self.draining else "",
        }
        return {
            "v": 1,
            "draining": self.draining,
            "drained": self.drained,
            "held_shards": self.held,
            "drain": drain,
        }

    def status(self) -> Json:
        disks = [each.document() for each in self.disks.values()]
        document = {
            "v": 1,
            "address": self.address,
            "version": "0.2.0",
            "network": self.network,
            "url": self.url,
            "group": "g",
            "owner": "o",
            "payout": self.address,
            "registered": True,
            "problem": "",
            "uptime_seconds": 1.0,
            "clock_skew_seconds": 0.0,
            "epoch": self.epoch,
            "last_proved_epoch": self.proved,
            "super_node_reachable": True,
            "disks": disks,
            "free_bytes": 0 if self.draining else GIB // 2,
            "shards": self.held,
            "shard_bytes": self.held * 4096,
            "shards_bad": 0,
            "shards_lost": 0,
            "shards_trash": 0,
            "degraded": [
                f"disk {each['path']}: {each['reason']}"
                for each in disks
                if each["state"] not in {"ready", "drained"}
            ],
            "bandwidth_cap_bytes_per_second": None,
            "plots": 4,
            "plots_by_state": {},
            "plots_wanted": 4,
            "plot_size_bytes": 1 << 19,
            "plot_bytes": 4 << 19,
            "plotting": 0,
            "plotting_now": [],
            "proofs": {
                "counting": 4,
                "last_accepted_epoch": self.proved,
                "last_seconds": 0.5,
                "accepted": 3,
                "refused": 0,
                "missed": 0,
            },
            "counters": {},
            "nic": {"received_bytes": 0, "sent_bytes": 0},
            **self.drain_document(),
        }
        if self.ledger is not None:
            document["ledger"] = msgspec.to_builtins(made(LedgerDocument, **self.ledger))
        return checked(document, StatusDocument)


@dataclass
class FakeSuperNode:
    """What one super node says."""

    document: bytes
    network: str
    epoch: int = 5
    height: int = 50
    down: bool = False
    miners: list[Json] = field(default_factory=list)
    backup: BackupDocument = field(
        default_factory=lambda: BackupDocument(0, 0, None, "", restored=None)
    )


def _json(document: Document) -> web.Response:
    return web.Response(body=msgspec.json.encode(document), content_type="application/json")


class Responder:
    """Serves in a thread of its own, so that tests may block."""

    def __init__(self) -> None:
        self.miners: dict[tuple[str, str], PlayedMiner] = {}
        self.super_nodes: dict[tuple[str, str], FakeSuperNode] = {}
        self.disk_names: tuple[str, ...] = ("a",)
        self.control: set[str] = set()
        self.requests = 0
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="responder", daemon=True)

    @property
    def miner_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/miners/{{namespace}}/{{miner}}"

    @property
    def supernode_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/supernodes/{{namespace}}/{{network}}"

    def start(self) -> "Responder":
        self._thread.start()
        assert self._ready.wait(DEADLINE_SECONDS)
        return self

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def miner(self, namespace: str, name: str) -> PlayedMiner:
        """The miner of that name, made at the first question."""
        key = (namespace, name)
        if key not in self.miners:
            own = KeyPair(blake3("/".join(key).encode()).digest())
            disks = {each: FakeDisk(each) for each in self.disk_names}
            self.miners[key] = PlayedMiner(address(own.public), disks, "bafynetwork")
        return self.miners[key]

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        app = web.Application(client_max_size=1 << 20)
        app.router.add_route("*", "/miners/{namespace}/{miner}/v1/{route:.*}", self._miner)
        app.router.add_get("/supernodes/{namespace}/{network}/v1/{route:.*}", self._super_node)
        runner = web.AppRunner(app, access_log=None)
        self._loop.run_until_complete(runner.setup())
        site = web.TCPSite(runner, "127.0.0.1", self.port)
        self._loop.run_until_complete(site.start())
        assert site._server is not None
        self.port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
        self._ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(runner.cleanup())

    async def _miner(self, request: web.Request) -> web.StreamResponse:
        self.requests += 1
        place = request.match_info
        miner = self.miner(place["namespace"], place["miner"])
        if miner.down:
            assert request.transport is not None
            request.transport.abort()
            return web.Response(status=500)
        try:
            return await self._answer(request, miner, place["route"])
        except CyberVeinError as error:
            body = {"error": error.code, "message": str(error)}
            return web.json_response(body, status=error.status)

    async def _answer(
        self, request: web.Request, miner: PlayedMiner, route: str
    ) -> web.StreamResponse:
        if (request.method, route) == ("GET", "status"):
            return web.json_response(miner.status())
        await self._authenticate(request, miner)
        miner.calls.append(f"{request.method} {route}")
        if (request.method, route) == ("POST", "drain"):
            miner.draining = bool((await request.json())["draining"])
            if miner.draining and not miner.holds:
                miner.held = 0
            return web.json_response(checked(miner.drain_document(), DrainDocument))
        return await self._disk(request, miner, route)

    async def _disk(self, request: web.Request, miner: PlayedMiner, route: str) -> web.Response:
        if (request.method, route) == ("POST", "disks"):
            name = str((await request.json())["path"]).rsplit("/", 1)[-1]
            disk = miner.disks.setdefault(name, FakeDisk(name))
            disk.leaving, disk.state = False, "ready"
            return web.json_response(checked(disk.document(), DiskDocument), status=201)
        disk = next(each for each in miner.disks.values() if each.id == route.split("/")[1])
        if request.method == "DELETE":
            disk.leaving = True
            if disk.drains:
                disk.shards, disk.plots, disk.state, disk.leaving = 0, 0, "drained", True
            return web.json_response(checked(disk.document() | {"gone": False}, RemovedDocument))
        assert route.endswith("/wipe"), route
        confirm = (await request.json())["confirm"]
        if confirm != disk.id or disk.state != "drained":
            return web.json_response({"error": "conflict", "message": "no"}, status=409)
        del miner.disks[disk.name]
        wiped = {"v": 1, "id": disk.id, "path": "", "files": 3, "bytes": 9}
        return web.json_response(checked(wiped, WipedDocument))

    async def _authenticate(self, request: web.Request, miner: PlayedMiner) -> None:
        """As a miner does: the control key, a fresh signature, and this miner's own name."""
        headers = {name: request.headers[name] for name in _COVERED if name in request.headers}
        signable = SignableRequest(request.method, str(request.url), headers)
        signer = verify_request(signable, now=int(time.time()), body=await request.read())
        assert request.query["miner"] == miner.address
        self.control.add(address(signer.public))

    async def _super_node(self, request: web.Request) -> web.StreamResponse:
        place = request.match_info
        node = self.super_nodes.get((place["namespace"], place["network"]))
        if node is None or node.down:
            return web.json_response({"error": "unavailable", "message": "starting"}, status=503)
        routes: dict[str, Callable[[], web.Response]] = {
            "network.json": lambda: web.Response(body=node.document),
            "network": lambda: _json(
                made(NetworkDocument, network=node.network, epoch=node.epoch, height=node.height)
            ),
            "backup": lambda: _json(node.backup),
            "miners": lambda: _json(
                MinerListing(
                    miners=[made(ListedMiner, **each) for each in node.miners],
                    total=len(node.miners),
                    next=None,
                )
            ),
        }
        return routes[place["route"]]()
