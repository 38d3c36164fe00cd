"""`kill -9` of miners and super node while miners drain: nothing is lost, every read succeeds."""

import asyncio
import json
from pathlib import Path

import pytest
from chaos_network import ChaosNetwork, Held, chaos_network, hold, noise, seeded
from services import run

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(1800)]

KILLS = 24


async def test_drains_under_fire_lose_nothing_and_no_read_fails(tmp_path: Path) -> None:
    rng = seeded("drain")
    async with chaos_network(tmp_path / "net", rng, miners=6) as chaos:
        file = noise(tmp_path / "held.bin", 3_000_000, rng)
        held = await hold(chaos, file, "--code", "2/4", "--epochs", "600")
        while chaos.kills.total() < KILLS:
            await drain_a_holder_under_fire(held)
            await held.assert_whole()
        await chaos.assert_ledger_whole()


async def drain_a_holder_under_fire(held: Held) -> None:
    """One that holds shards drains to its end while everybody crashes; then it stays after all."""
    chaos = held.chaos
    number = await held.some_holder()
    plots = chaos.plots_on_disk(number)
    await ask(chaos, number)
    for _ in range(5):
        await chaos.pause(1.5)
        child = chaos.network.miners[number]
        other = chaos.rng.choice(list(chaos.network.miners.values()))
        await chaos.strike(chaos.rng.choice([chaos.supernode, child, child, other]))

    async def drained() -> bool:
        return bool((await chaos.status(number))["drained"])

    await chaos.until(drained)
    row = await chaos.get(f"/v1/miners/{(await chaos.status(number))['address']}")
    assert (row["draining"], row["held_shards"], row["plots"]) == (True, 0, 0)
    assert chaos.plots_on_disk(number) == plots, "a drain keeps the plots' files"
    await ask(chaos, number, "--cancel")

    async def counts_again() -> bool:
        now = await chaos.get(f"/v1/miners/{row['address']}")
        return now["plots_active"] == len(plots) and not now["draining"]

    await chaos.until(counts_again)
    assert chaos.plots_on_disk(number) == plots, "and nothing is plotted again"


async def ask(chaos: ChaosNetwork, number: int, *options: str) -> None:
    """`cybervein drain` until the miner has heard it."""
    data = str(chaos.network.layout.miner(number) / "data")
    line = ("--json", "drain", "--data", data, "--no-wait", *options)

    async def heard() -> bool:
        done = await asyncio.to_thread(run, *line)
        if done.returncode == 0:
            assert json.loads(done.stdout)["draining"] == ("--cancel" not in options)
        return done.returncode == 0

    await chaos.until(heard)


DISK_KILLS = 21


async def test_a_disk_that_drains_under_fire_loses_nothing(tmp_path: Path) -> None:
    """A miner changes its disk again and again: to a second one, or to the others' by the network.

    The old one is wiped each time, so whatever was left behind there would be missed.
    """
    rng = seeded("disk drain")
    async with chaos_network(tmp_path / "net", rng, miners=5, plots=1) as chaos:
        file = noise(tmp_path / "held.bin", 3_000_000, rng)
        held = await hold(chaos, file, "--code", "2/4", "--epochs", "600")
        for turn in range(DISK_KILLS // 3):
            spare = tmp_path / f"spare-{turn}" if turn % 2 == 0 else None
            await change_disk_under_fire(chaos, 1 + turn % 5, spare)
            await held.assert_whole()
        await chaos.assert_ledger_whole()


async def change_disk_under_fire(chaos: ChaosNetwork, number: int, spare: Path | None) -> None:
    """Drain the miner's first disk while it and the super node crash; then wipe it."""
    [disk] = [d for d in (await chaos.status(number))["disks"] if d["state"] == "ready"][:1]
    if spare is not None:
        spare.mkdir()
        await rule(chaos, number, "add", str(spare))
    await rule(chaos, number, "remove", disk["id"])
    for _ in range(3):
        await chaos.pause(1.0)
        await chaos.strike(chaos.rng.choice([chaos.supernode, *[chaos.network.miners[number]] * 2]))

    async def drained() -> bool:
        disks = (await chaos.status(number))["disks"]
        return any(d["id"] == disk["id"] and d["state"] == "drained" for d in disks)

    await chaos.until(drained)
    await rule(chaos, number, "wipe", disk["id"], "--confirm", disk["id"])
    if spare is None:
        await rule(chaos, number, "add", disk["path"])


async def rule(chaos: ChaosNetwork, number: int, *arguments: str) -> None:
    """`cybervein disk …` on a miner."""
    data = str(chaos.network.layout.miner(number) / "data")
    done = await asyncio.to_thread(run, "--json", "disk", *arguments, "--data", data)
    assert done.returncode == 0, done.stderr
