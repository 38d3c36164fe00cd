"""The embedded network's processes: prepared once, started in order, stopped in reverse.

The super node comes first, because its address goes into `network.json`, which everyone else joins
by. Miners and sidecars then start a few at a time: on a small machine seventeen interpreters at
once would only wait for each other.
"""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from urllib.parse import urlsplit

from cybervein_protocol.errors import UnavailableError
from cybervein_protocol.signing import address
from cybervein_runtime.identity import load_or_create_identity
from cybervein_runtime.network_file import load_network, save_network

from cybervein_up import recipes
from cybervein_up.child import Child
from cybervein_up.layout import Layout
from cybervein_up.options import Options

_READY_SECONDS = 60.0


class EmbeddedNetwork:
    """A super node, miners and their sidecars as children of this process."""

    def __init__(self, options: Options, started: Callable[[Child], None]) -> None:
        self.options = options
        self.layout = Layout(options.data)
        self.supernode: Child | None = None
        self.miners: dict[int, Child] = {}
        self.sidecars: dict[int, Child] = {}
        self._started = started
        self._slots = asyncio.Semaphore(max(2, os.cpu_count() or 1))

    @property
    def url(self) -> str:
        """The super node's URL."""
        return self.supernode.url if self.supernode is not None else ""

    @property
    def children(self) -> list[Child]:
        """Everything that was started, in the order of starting."""
        first = [self.supernode] if self.supernode is not None else []
        return [*first, *self.miners.values(), *self.sidecars.values()]

    @property
    def crashed(self) -> list[Child]:
        """Children that ended although nobody stopped them."""
        return [child for child in self.children if child.crashed]

    async def start(self) -> None:
        """Start everything; each child is announced as soon as it serves."""
        ports = self.layout.ports()
        port = self._wanted_port() or _free_or_any(ports.get(recipes.SUPERNODE, 0))
        await self._prepare()
        await self._start_supernode(port)
        numbers = range(1, self.options.miners + 1)
        await _all(self._start_miner(number, ports) for number in numbers)
        self.layout.save_ports(
            {child.name: urlsplit(child.url).port or 0 for child in self.children if child.url}
        )

    def _wanted_port(self) -> int:
        """The port that was named, 0 if none was. Raises UnavailableError if it is taken."""
        port = self.options.port
        if port and not _free_or_any(port):
            raise UnavailableError(
                f"--port {port} is in use; stop what listens there, choose another, or leave "
                "--port out to have a free one"
            )
        return port

    async def _prepare(self) -> None:
        """Create identities and the genesis at the first start."""
        wallet = load_or_create_identity(self.layout.wallet / "identity.json")
        if not (self.layout.supernode / "network.json").exists():
            init = Child(
                recipes.init_supernode(self.layout, self.options, address(wallet.keys.public))
            )
            await init.start()
            await init.finish()

    async def _start_supernode(self, port: int) -> None:
        self.supernode = Child(recipes.supernode(self.layout, self.options, port))
        await self.supernode.start()
        url = await self.supernode.ready(_READY_SECONDS)
        self._started(self.supernode)
        pinned = load_network(self.layout.supernode / "network.json")
        nodes = tuple((url, key) for _, key in pinned.super_nodes)
        for path in (self.layout.network_file, self.layout.wallet / "network.json"):
            save_network(path, pinned.genesis, nodes)

    async def _start_miner(self, number: int, ports: dict[str, int]) -> None:
        """Start a miner and then its sidecar, both on the ports of the last run if free."""
        home = self.layout.miner(number)
        recipes.disk_of(self.layout, number).mkdir(parents=True, exist_ok=True)
        payout = address(load_or_create_identity(home / "payout.json").keys.public)
        port = _free_or_any(ports.get(recipes.miner_name(number), 0))
        miner = Child(recipes.miner(self.layout, self.options, number, port, payout))
        self.miners[number] = miner
        await self._launch(miner)
        if self.options.sidecars:
            await self._start_sidecar(number, miner, ports)

    async def _start_sidecar(self, number: int, miner: Child, ports: dict[str, int]) -> None:
        port = _free_or_any(ports.get(recipes.sidecar_name(number), 0))
        urls = (miner.url, self.url)
        sidecar = Child(recipes.sidecar(self.layout, self.options, number, port, urls))
        self.sidecars[number] = sidecar
        await self._launch(sidecar)

    async def _launch(self, child: Child) -> None:
        async with self._slots:
            await child.start()
            await child.ready(_READY_SECONDS)
            self._started(child)

    async def restart(self, child: Child) -> None:
        """Start a stopped child again, with its own data and recipe."""
        await self._launch(child)

    async def stop(self) -> bool:
        """Stop sidecars, miners, then the super node. True if none had to be killed."""
        groups = (self.sidecars.values(), self.miners.values(), self.children[:1])
        clean = [await asyncio.gather(*(child.stop() for child in group)) for group in groups]
        return all(all(group) for group in clean)


async def _all(tasks: Iterable[Awaitable[None]]) -> None:
    """Run together; the first failure cancels the rest and is raised as it is."""
    running = [asyncio.ensure_future(task) for task in tasks]
    try:
        await asyncio.gather(*running)
    except BaseException:
        for task in running:
            task.cancel()
        with suppress(BaseException):
            await asyncio.gather(*running, return_exceptions=True)
        raise


def _free_or_any(port: int) -> int:
    """`port` if nobody listens on it, else 0: any free one."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return 0
    return port
