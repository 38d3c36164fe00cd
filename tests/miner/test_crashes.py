"""kill -9 at any moment: what was acknowledged is there afterwards, byte for byte."""

import asyncio
import os
import random
from contextlib import suppress
from pathlib import Path

import aiohttp
import pytest
from blake3 import blake3
from cybervein_miner.plot.inventory import metadata_path
from cybervein_protocol.encoding import encode
from cybervein_protocol.space import decode_metadata
from cybervein_runtime.http_client import sign_headers
from cybervein_runtime.identity import load_identity
from miner_world import World, shard_bytes
from services import Service, miner
from waiting import until

ROUNDS = 8


async def _request(  # noqa: PLR0913, PLR0917 -- a request, by its parts
    http: aiohttp.ClientSession,
    process: Service,
    world: World,
    key: bytes,
    verb: str,
    root: bytes,
    body: bytes | None,
) -> tuple[int, bytes]:
    order = world.order(key, verb, root)  # type: ignore[arg-type]
    url = f"{process.url}/v1/shards/{root.hex()}" + ("?segment=0&index=0" if body else "")
    headers = sign_headers(world.bearer, verb, url, body=None, order=encode(order))
    async with http.request(verb, url, data=body, headers=headers) as answer:
        return answer.status, await answer.read()


async def _upload_until_dead(
    process: Service, world: World, key: bytes, seeds: range, rng: random.Random
) -> dict[bytes, bytes]:
    """Upload from four tasks, kill the miner a moment after a few; what was acknowledged."""
    kept: dict[bytes, bytes] = {}
    waiting = iter(seeds)

    async def upload(http: aiohttp.ClientSession) -> None:
        for seed in waiting:
            data = shard_bytes(100_000 + 37_000 * (seed % 50), seed)
            root = blake3(data).digest()
            status, _ = await _request(http, process, world, key, "PUT", root, data)
            assert status == 201
            kept[root] = data

    async with aiohttp.ClientSession() as http:
        tasks = [asyncio.create_task(upload(http)) for _ in range(4)]
        few = rng.randrange(1, 12)
        while len(kept) < few and not any(task.done() for task in tasks):
            await asyncio.sleep(0.001)
        await asyncio.sleep(rng.uniform(0, 0.05))
        process.kill()
        for task in tasks:
            with suppress(aiohttp.ClientError, OSError):
                await task
    return kept


@pytest.mark.chaos
async def test_acknowledged_shards_survive_kill_9_during_uploads(
    world: World, tmp_path: Path
) -> None:
    seed = int(os.environ.get("CHAOS_SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"seed {seed}")
    rng = random.Random(seed)
    process = miner(tmp_path, world.file, "--plots", "0")
    kept: dict[bytes, bytes] = {}
    for number in range(ROUNDS):
        await asyncio.to_thread(process.start)
        key = load_identity(tmp_path / "data" / "identity.json").keys.public
        seeds = range(number * 10_000, number * 10_000 + 10_000)
        kept |= await _upload_until_dead(process, world, key, seeds, rng)
    await asyncio.to_thread(process.start)
    assert len(kept) > ROUNDS
    async with aiohttp.ClientSession() as http:
        for root, data in kept.items():
            answer = await _request(http, process, world, key, "GET", root, None)
            assert answer == (200, data), f"seed {seed}, shard {root.hex()}"
    disk = tmp_path / "disk" / "cybervein"
    assert list((disk / "tmp").iterdir()) == []
    for file in (disk / "shards").rglob("*"):
        if file.is_file() and file.suffix != ".obao":
            assert blake3(file.read_bytes()).hexdigest() == file.name
    assert await asyncio.to_thread(process.stop) == 0


@pytest.mark.chaos
def test_plots_survive_kill_9_during_plotting(world: World, tmp_path: Path) -> None:
    seed = int(os.environ.get("CHAOS_SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"seed {seed}")
    rng = random.Random(seed)
    process = miner(tmp_path, world.file, "--plots", "4000", "--plot-threads", "2")
    plots: dict[Path, bytes] = {}
    folder = tmp_path / "disk" / "cybervein" / "plots"
    for _ in range(ROUNDS):
        process.start()
        for path, data in plots.items():
            assert path.read_bytes() == data, f"seed {seed}"
        before = process.status()["plots"]
        until(lambda: process.status()["plots"] > before, "another plot")  # noqa: B023
        until(lambda: rng.random() < 0.1, "a moment")
        process.kill()
        whole = [p for p in folder.glob("*.plot") if metadata_path(p).exists()]
        plots |= {path: path.read_bytes() for path in whole}
    process.start()
    listed = {disk["plots"] for disk in process.status()["disks"]}
    assert min(listed) >= len(plots)
    process.stop()
    assert not list(folder.glob("*.partial"))
    for path in folder.glob("*.plot"):
        meta = decode_metadata(metadata_path(path).read_bytes())
        assert blake3(path.read_bytes()).digest() == meta.gamma, f"seed {seed}"


async def test_a_stopped_miner_finishes_its_uploads(world: World, tmp_path: Path) -> None:
    process = await asyncio.to_thread(miner(tmp_path, world.file, "--plots", "0").start)
    key = load_identity(tmp_path / "data" / "identity.json").keys.public
    data = shard_bytes(20_000_000)
    root = blake3(data).digest()
    async with aiohttp.ClientSession() as http:
        upload = asyncio.create_task(_request(http, process, world, key, "PUT", root, data))
        arriving = tmp_path / "disk" / "cybervein" / "tmp"
        while not upload.done() and not list(arriving.iterdir()):
            await asyncio.sleep(0.001)
        assert await asyncio.to_thread(process.stop) == 0
        assert (await upload)[0] == 201
    file = tmp_path / "disk" / "cybervein" / "shards" / root.hex()[:2] / root.hex()
    assert file.read_bytes() == data
    assert not (tmp_path / "data" / "run.json").exists()
