"""A network of real processes that are killed with SIGKILL at seeded moments and started again.

`make test STAGES=chaos SEED=…` replays a run: every test tells its seed and what it killed.
"""

import asyncio
import os
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blake3 import blake3
from cybervein_protocol.errors import CyberVeinError
from cybervein_runtime.http_client import SignedClient
from cybervein_up.child import Child
from cybervein_up.customer import Customer
from cybervein_up.network import EmbeddedNetwork
from cybervein_up.nursery import Started, start
from cybervein_up.options import Options
from services import run
from waiting import until_async

EPOCH_SECONDS = 3
SUMMARY: list[str] = []
"""Seed and kills of the test that runs; conftest.py has them printed at the end."""


def seeded(name: str) -> random.Random:
    """Randomness of one test, from `CHAOS_SEED` or fresh; the seed is printed."""
    seed = os.environ.get("CHAOS_SEED") or str(random.SystemRandom().randrange(1 << 32))
    SUMMARY.append(f"{name}: SEED={seed}")
    return random.Random(f"{seed} {name}")


class ChaosNetwork:
    """The processes, and the kills so far by process."""

    def __init__(self, network: EmbeddedNetwork, rng: random.Random) -> None:
        self.network, self.rng = network, rng
        self.kills: Counter[str] = Counter()
        self.customer = Customer(network.layout.wallet)
        self.home = network.layout.wallet
        self.http = SignedClient()

    @property
    def supernode(self) -> Child:
        assert self.network.supernode is not None
        return self.network.supernode

    async def strike(self, child: Child) -> None:
        """kill -9, and start again at once."""
        await self.kill(child)
        await self.network.restart(child)

    async def kill(self, child: Child) -> None:
        """kill -9."""
        print(f"kill {child.name}")
        self.kills[child.name] += 1
        await child.kill()

    async def get(self, path: str) -> Any:
        """JSON of the super node."""
        return await self.http.get_json(self.network.url + path)

    async def status(self, number: int) -> Any:
        """JSON of a miner's status."""
        return await self.http.get_json(f"{self.network.miners[number].url}/v1/status")

    async def until(self, condition: Any) -> None:
        """Wait until an async condition holds; errors of a process under restart count as no.

        Nobody dies but by `kill`: a wait for one that did would be in vain.
        """

        async def holds() -> bool:
            assert not self.network.crashed, [each.obituary() for each in self.network.crashed]
            return bool(await condition())

        await until_async(holds, condition.__qualname__, but=(CyberVeinError, OSError))

    async def epoch(self) -> int:
        return int((await self.get("/v1/network"))["epoch"])

    async def pause(self, longest_seconds: float) -> None:
        """A random part of `longest_seconds`."""
        await asyncio.sleep(self.rng.uniform(0, longest_seconds))

    async def put(self, file: Path) -> None:
        await self.customer.run("put", str(file))

    async def assert_readable(self, file: Path, copy: Path) -> None:
        """The stored file is, byte for byte, the one on disk."""
        copy.unlink(missing_ok=True)
        await self.customer.run("get", file.name, "--out", str(copy))
        assert copy.read_bytes() == file.read_bytes(), f"{file.name} is not what was stored"

    async def assert_ledger_whole(self) -> None:
        """The supply adds up, and stopping, replaying and comparing the chain finds no fault."""
        supply = (await self.get("/v1/network"))["supply"]
        sides = sum(supply[name] for name in ("held", "escrowed", "bonded", "burnt"))
        assert supply["genesis"] + supply["minted"] == sides
        await self.supernode.stop()
        data = str(self.network.layout.supernode)
        done = await asyncio.to_thread(run, "chain", "verify", "--data", data)
        assert done.returncode == 0, done.stdout + done.stderr

    def plots_on_disk(self, number: int) -> dict[str, Path]:
        """Whole plots (those with metadata) of a miner by file name."""
        disk = self.network.layout.miner(number) / "disk"
        metas = disk.rglob("*.plot.meta")
        return {meta.stem: meta.with_suffix("") for meta in metas}


@dataclass(frozen=True)
class Held:
    """A stored file of one deal, and the roots of all its shards."""

    chaos: ChaosNetwork
    file: Path
    deal: str
    roots: frozenset[str]

    async def shards(self) -> list[dict[str, Any]]:
        """Where each shard is by the ledger."""
        return list((await self.chaos.get(f"/v1/deals/{self.deal}/shards"))["shards"])

    async def some_holder(self) -> int:
        """The number of a miner that holds some of it."""
        numbers = {(await self.chaos.status(n))["address"]: n for n in self.chaos.network.miners}
        return numbers[str(self.chaos.rng.choice(await self.shards())["miner"])]

    async def assert_whole(self) -> None:
        """The ledger names every shard, and the file is what was stored."""
        assert {shard["root"] for shard in await self.shards()} == self.roots
        await self.chaos.assert_readable(self.file, self.file.with_suffix(".copy"))


async def hold(chaos: ChaosNetwork, file: Path, *options: str) -> Held:
    """Store a file as one deal."""
    await chaos.customer.run("put", str(file), *options)
    [deal] = (await chaos.get("/v1/deals"))["deals"]
    shards = (await chaos.get(f"/v1/deals/{deal['deal']}/shards"))["shards"]
    return Held(chaos, file, deal["deal"], frozenset(shard["root"] for shard in shards))


def file_root(path: Path) -> bytes:
    """BLAKE3 of a file's bytes."""
    return blake3(path.read_bytes()).digest()


def noise(path: Path, size: int, rng: random.Random) -> Path:
    """A file of random bytes."""
    path.write_bytes(rng.randbytes(size))
    return path


def start_put(home: Path, file: Path) -> Started:
    """`cybervein put` as a process that can be killed."""
    arguments = ("--home", str(home), "--json", "put", str(file))
    with Path(os.devnull).open("wb") as nowhere:
        return start(arguments, (nowhere, nowhere))


@asynccontextmanager
async def chaos_network(
    data: Path,
    rng: random.Random,
    *,
    miners: int,
    plots: int = 2,
    epoch_seconds: int = EPOCH_SECONDS,
) -> AsyncIterator[ChaosNetwork]:
    """A running network of the `test` preset without sidecars, its miners registered."""
    options = Options(
        data=data,
        miners=miners,
        plots=plots,
        epoch_seconds=epoch_seconds,
        preset="test",
        sidecars=False,
    )
    network = EmbeddedNetwork(options, lambda child: print(child.name, child.url))
    chaos = ChaosNetwork(network, rng)
    try:
        await network.start()

        async def registered() -> bool:
            """Registered, and seen by the super node, which then places shards on them."""
            rows = (await chaos.get("/v1/miners"))["miners"]
            return sum(row["online"] for row in rows) == miners

        await chaos.until(registered)
        yield chaos
    finally:
        SUMMARY.append(f"  {chaos.kills.total()} kills: {dict(sorted(chaos.kills.items()))}")
        await chaos.http.close()
        await network.stop()
