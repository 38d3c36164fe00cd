"""`kill -9` of client, miners and super node during `put`: the same command finishes the job."""

import asyncio
from pathlib import Path

import pytest
from chaos_network import ChaosNetwork, chaos_network, noise, seeded, start_put

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(1800)]

KILLS = 50


async def test_an_interrupted_put_continues_and_every_acknowledged_file_is_there(
    tmp_path: Path,
) -> None:
    rng = seeded("put")
    async with chaos_network(tmp_path / "net", rng, miners=4) as chaos:
        stored: list[Path] = []
        while chaos.kills.total() < KILLS:
            size = rng.choice((0, 1, 65_520, 700_001, 17_000_000))
            file = noise(tmp_path / f"file-{len(stored)}.bin", size, rng)
            await put_under_fire(chaos, file)
            await chaos.assert_readable(file, tmp_path / "copy")
            stored.append(file)
        for file in stored:
            await chaos.assert_readable(file, tmp_path / "copy")
        await chaos.assert_ledger_whole()


async def put_under_fire(chaos: ChaosNetwork, file: Path) -> None:
    """Start the put, kill somebody, a few times; then let it finish."""
    for _ in range(5):
        put = start_put(chaos.home, file)
        await chaos.pause(1.6)
        target = chaos.rng.choice(["client", "client", "supernode", "miner"])
        if target == "client":
            put.kill()
            chaos.kills["client"] += 1
        elif target == "supernode":
            await chaos.strike(chaos.supernode)
        else:
            await chaos.strike(chaos.network.miners[chaos.rng.randint(1, 4)])
        await asyncio.to_thread(put.wait)
        if put.returncode == 0:
            return
    await chaos.put(file)
