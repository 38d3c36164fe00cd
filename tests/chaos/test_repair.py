"""`kill -9` of miners and super node while lost shards are rebuilt: the repair comes to its end."""

from pathlib import Path

import pytest
from chaos_network import ChaosNetwork, chaos_network, noise, seeded

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900)]

KILLS = 35
REPAIR_SECONDS_MAX = 120


async def test_a_repair_that_is_killed_again_and_again_still_loses_no_shard(tmp_path: Path) -> None:
    rng = seeded("repair")
    async with chaos_network(tmp_path / "net", rng, miners=6) as chaos:
        file = noise(tmp_path / "held.bin", 3_000_000, rng)
        await chaos.customer.run("put", str(file), "--code", "2/3")
        [deal] = (await chaos.get("/v1/deals"))["deals"]
        roots = {shard["root"] for shard in await shards(chaos, deal["deal"])}
        while chaos.kills.total() < KILLS:
            await lose_a_miner_and_repair_under_fire(chaos, deal["deal"])
            assert {shard["root"] for shard in await shards(chaos, deal["deal"])} == roots
            await chaos.assert_readable(file, tmp_path / "copy")
        await chaos.assert_ledger_whole()


async def shards(chaos: ChaosNetwork, deal: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = (await chaos.get(f"/v1/deals/{deal}/shards"))["shards"]
    return found


async def lose_a_miner_and_repair_under_fire(chaos: ChaosNetwork, deal: str) -> None:
    """A holder dies until its shards are elsewhere; meanwhile others crash and come back."""
    numbers = {(await chaos.status(n))["address"]: n for n in chaos.network.miners}
    lost = numbers[str(chaos.rng.choice(await shards(chaos, deal))["miner"])]
    address = next(key for key, number in numbers.items() if number == lost)
    dead = chaos.network.miners[lost]
    await chaos.kill(dead)

    async def moved() -> bool:
        held = await shards(chaos, deal)
        return len(held) == 3 and all(s["miner"] not in {None, address} for s in held)

    for _ in range(6):
        await chaos.pause(3.0)
        others = [m for m in chaos.network.miners.values() if m is not dead]
        await chaos.strike(chaos.rng.choice([chaos.supernode, chaos.supernode, *others]))
    await chaos.until(moved, REPAIR_SECONDS_MAX)
    await chaos.network.restart(dead)
