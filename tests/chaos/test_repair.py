"""`kill -9` of miners and super node while lost shards are rebuilt: the repair comes to its end."""

from pathlib import Path

import pytest
from chaos_network import Held, chaos_network, hold, noise, seeded

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(1800)]

KILLS = 35


async def test_a_repair_that_is_killed_again_and_again_still_loses_no_shard(tmp_path: Path) -> None:
    rng = seeded("repair")
    async with chaos_network(tmp_path / "net", rng, miners=6) as chaos:
        file = noise(tmp_path / "held.bin", 3_000_000, rng)
        held = await hold(chaos, file, "--code", "2/3")
        while chaos.kills.total() < KILLS:
            await lose_a_miner_and_repair_under_fire(held)
            await held.assert_whole()
        await chaos.assert_ledger_whole()


async def lose_a_miner_and_repair_under_fire(held: Held) -> None:
    """A holder dies until its shards are elsewhere; meanwhile others crash and come back."""
    chaos = held.chaos
    lost = await held.some_holder()
    address = (await chaos.status(lost))["address"]
    dead = chaos.network.miners[lost]
    await chaos.kill(dead)

    async def moved() -> bool:
        shards = await held.shards()
        return len(shards) == 3 and all(s["miner"] not in {None, address} for s in shards)

    for _ in range(6):
        await chaos.pause(3.0)
        others = [m for m in chaos.network.miners.values() if m is not dead]
        await chaos.strike(chaos.rng.choice([chaos.supernode, chaos.supernode, *others]))
    await chaos.until(moved)
    await chaos.network.restart(dead)
