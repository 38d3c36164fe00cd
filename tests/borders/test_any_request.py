"""Any request at any of the three servers is answered as their OpenAPI documents say."""

import asyncio
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from cybervein_miner.disk.rack import Rack
from cybervein_miner.sidecar.app import build_app
from cybervein_protocol.encoding import encode
from cybervein_protocol.signing import KeyPair
from cybervein_runtime.serving import Application, bind, serve, url_of
from cybervein_supernode.api import app as app_module
from cybervein_supernode.api.limits import Buckets
from fake_miner import FakeMiner
from fuzzing import failures_of
from miner_world import Running, new_world, serving, settings_of
from stored_deal import register, store
from super_lab import WALLET, Lab
from waiting import until

NOBODY = "http://127.0.0.1:9"


@asynccontextmanager
async def served(app: Application, folder: Path) -> AsyncIterator[str]:
    """An application on a real socket, as its process serves it."""
    sock, run_file = bind("127.0.0.1", 0), folder / "served.json"
    task = asyncio.create_task(serve(app, sock, run_file))
    try:
        await asyncio.to_thread(until, run_file.exists, "it serves")
        yield url_of(sock)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """The run's own: `--hypothesis-seed`."""
    return int(request.config.getoption("--hypothesis-seed") or 0)


def none_of(found: str) -> None:
    """Each failure comes with a `curl` that repeats it."""
    if found:
        pytest.fail(found, pytrace=False)


async def test_any_request_at_a_sidecar(tmp_path: Path, seed: int) -> None:
    async with served(build_app(lambda: NOBODY, NOBODY), tmp_path) as url:
        none_of(await asyncio.to_thread(failures_of, url, seed))


async def test_any_request_at_a_super_node(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    wide = Buckets(rate=1e9, burst=1e9)
    monkeypatch.setattr(app_module, "Buckets", lambda: wide)
    lab = Lab(tmp_path)
    lab.begin()
    miners = [FakeMiner(lab.desk.view.network, f"miner-{i}") for i in range(4)]
    await register(lab, miners)
    await store(lab, miners, k=2)
    await lab.close_epoch()
    opaque = ("/v1/units", "/v1/space-proofs", "/v1/commit-responses")
    deals = ("/v1/deals/{deal}/orders", "/v1/deals/{deal}/verify")
    signed = (*deals, "/v1/miners/{miner}/release", "/v1/miners/{miner}/instance")

    async def nobody_listens_for_long() -> None:
        while True:
            await asyncio.sleep(0.05)
            lab.desk.hub.stop()

    listening = asyncio.create_task(nobody_listens_for_long())

    def signing(request: requests.PreparedRequest) -> tuple[KeyPair, None] | None:
        return (WALLET, None) if request.method == "POST" else None

    try:
        async with served(app_module.create_app(lab.node), tmp_path) as url:
            none_of(await asyncio.to_thread(failures_of, url, seed, signing, (*opaque, *signed)))
    finally:
        listening.cancel()
        for miner in miners:
            await miner.stop()
        await lab.end()


async def test_any_request_at_a_miner(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, mounts = new_world(tmp_path), tmp_path / "mounts"
    mounts.mkdir()
    claim = Rack.add
    async with serving(world, settings_of(world, tmp_path, tmp_path / "disk")) as miner:
        monkeypatch.setattr(
            Rack, "add", lambda rack, path, **said: claim(rack, below(mounts, path), **said)
        )
        signing = Rider(miner)
        opaque = ("/v1/audit", "/v1/shards/{root}", "/v1/plots/{gamma}")
        none_of(await asyncio.to_thread(failures_of, miner.url, seed, signing, opaque))


def below(folder: Path, path: Path) -> Path:
    """A disk is claimed for real: the folders of this machine stay as they are."""
    led = os.path.normpath(f"{folder}/{path}")
    return Path(led) if led.startswith(f"{folder}/") else folder


@dataclass(frozen=True)
class Rider:
    """Signs as whoever may ask, under an order that names what is asked for."""

    miner: Running

    def __call__(self, request: requests.PreparedRequest) -> tuple[KeyPair, bytes | None]:
        kind, _, name = urlsplit(str(request.url)).path.removeprefix("/v1/").partition("/")
        world, method = self.miner.world, str(request.method)
        if kind == "shards":
            verb = method if method in {"PUT", "GET", "DELETE"} else "GET"
            return world.bearer, self._order(verb, name)
        if kind == "plots":
            return world.super_key, self._order("READ", name)
        return (world.super_key if kind == "audit" else self.miner.node.basis.identity.keys), None

    def _order(self, verb: str, name: str) -> bytes:
        root = bytes.fromhex(name) if re.fullmatch("[0-9a-f]{64}", name) else bytes(32)
        return encode(self.miner.world.order(self.miner.key, verb, root))
