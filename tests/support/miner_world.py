"""A real miner on real sockets and files; the test holds the keys of its network's super node."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import aiohttp
from blake3 import blake3
from cybervein_miner.api.bulk import BulkProtocol
from cybervein_miner.node.assembly import assemble
from cybervein_miner.node.node import Miner
from cybervein_miner.node.settings import Settings
from cybervein_miner.plot.policy import Wish
from cybervein_protocol import vrf
from cybervein_protocol.encoding import encode, node_cid
from cybervein_protocol.ledger.units.genesis import Genesis, SuperNode
from cybervein_protocol.messages import Order, Verb, sign_order
from cybervein_protocol.presets import TEST
from cybervein_protocol.signing import KeyPair
from cybervein_runtime.duty import Duty
from cybervein_runtime.http_client import SignedClient, sign_headers
from cybervein_runtime.network_file import NetworkFile, load_network, save_network
from cybervein_runtime.serving import bind, url_of
from multiformats import CID
from secure import Secure
from uvicorn import Config, Server

Mount = Callable[..., Path]
"""`mount(size, name, ext4=False)`: a small filesystem of its own, unmounted after the test."""
NOWHERE = "http://127.0.0.1:9"
"""A super node that is away: the discard port refuses."""


def shard_bytes(size: int, seed: int = 0) -> bytes:
    """Bytes of prime period 251, different for each seed."""
    pattern = bytes((index * 7 + seed) % 251 for index in range(251))
    return (pattern * (size // 251 + 1))[: max(0, size - 8)] + seed.to_bytes(8, "big")[
        : min(8, size)
    ]


@dataclass(frozen=True, slots=True)
class World:
    """A network whose super node the test plays, a bearer, and a deal."""

    network: NetworkFile
    file: Path
    super_key: KeyPair
    bearer: KeyPair
    deal: CID

    def order(self, miner: bytes, verb: Verb, root: bytes, **changes: object) -> Order:
        """A valid order of the super node for the bearer; `changes` replace arguments."""
        fields: dict[str, object] = {
            "network": self.network.network,
            "order_id": secrets.token_bytes(32),
            "deal": self.deal,
            "miner": miner,
            "bearer": self.bearer.public,
            "verb": verb,
            "root": root,
            "max_bytes": 1 << 26,
            "not_after_epoch": 100,
        }
        key = changes.pop("key", self.super_key)
        return sign_order(key, **(fields | changes))  # type: ignore[arg-type]


def new_world(folder: Path) -> World:
    """A fresh network of the test preset."""
    keys, seed = KeyPair(secrets.token_bytes(32)), secrets.token_bytes(32)
    node = SuperNode(
        key=keys.public, vrf=vrf.public_key(seed), seal=bytes(31) + b"\x09", url=NOWHERE
    )
    genesis = Genesis(
        v=1,
        chain="cybervein",
        created=1,
        preset=TEST,
        super_nodes=[node],
        accounts=[],
        roots=[b"\x01" * 32, b"\x02" * 32],
    )
    file = folder / "network.json"
    save_network(file, genesis, ((NOWHERE, keys.public),))
    return World(
        load_network(file), file, keys, KeyPair(secrets.token_bytes(32)), node_cid(b"\xa0")
    )


@dataclass(slots=True)
class Running:
    """A miner that serves, and calls to it."""

    node: Miner
    url: str
    world: World
    http: aiohttp.ClientSession

    @property
    def key(self) -> bytes:
        return self.node.basis.identity.keys.public

    async def call(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        order: Order | None = None,
        key: KeyPair | None = None,
        **changes: str,
    ) -> tuple[int, bytes]:
        """One signed request of the bearer (or `key`); `changes` replace headers."""
        url = f"{self.url}{path}"
        raw = encode(order) if order else None
        headers = sign_headers(key or self.world.bearer, method, url, body=None, order=raw)
        async with self.http.request(method, url, data=body, headers=headers | changes) as answer:
            return answer.status, await answer.read()

    async def put(
        self, data: bytes, order: Order | None = None, root: bytes | None = None, **changes: str
    ) -> tuple[int, bytes]:
        """Upload a shard under a fresh valid order."""
        root = root or blake3(data).digest()
        order = order or self.world.order(self.key, "PUT", root)
        path = f"/v1/shards/{root.hex()}?segment=3&index=1"
        return await self.call("PUT", path, data, order, **changes)

    async def get(
        self, root: bytes, query: str = "", order: Order | None = None
    ) -> tuple[int, bytes]:
        """Read a shard under a fresh valid order."""
        order = order or self.world.order(self.key, "GET", root)
        return await self.call("GET", f"/v1/shards/{root.hex()}{query}", None, order)

    def owner(self) -> SignedClient:
        """A client that signs with the miner's own key."""
        return SignedClient(self.node.basis.identity.keys, self.http)


@asynccontextmanager
async def serving(
    world: World, settings: Settings, *more: Duty, tls: Secure | None = None
) -> AsyncIterator[Running]:
    """Run a miner as `cybervein mine` does, in this process; `more` duties beside its own."""
    sock = bind("127.0.0.1", 0)
    url = url_of(sock, tls.files if tls else None)
    node = assemble(settings, url)
    node = replace(node, duties=(*node.duties, *more))
    await asyncio.to_thread(node.open)
    config = Config(
        node.app(),
        http=BulkProtocol,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=5,
        ssl_certfile=tls.files.cert if tls else None,
        ssl_keyfile=str(tls.files.key) if tls else None,
    )
    server = Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    task = asyncio.create_task(server._serve(sockets=[sock]))
    try:
        while not server.started:
            await asyncio.sleep(0.005)
        connector = aiohttp.TCPConnector(ssl=tls.trust if tls else True)
        async with aiohttp.ClientSession(connector=connector) as http:
            yield Running(node, url, world, http)
    finally:
        server.should_exit = True
        with suppress(asyncio.CancelledError):
            await task
        sock.close()


def settings_of(world: World, folder: Path, *disks: Path, **changes: object) -> Settings:
    """Settings of a miner without plots on these disks."""
    for disk in disks:
        disk.mkdir(parents=True, exist_ok=True)
    plain = Settings(folder / "data", world.file, tuple(disks), Wish(plots=0), floor=0)
    return replace(plain, **changes)  # type: ignore[arg-type]
