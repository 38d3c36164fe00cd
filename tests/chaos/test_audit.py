"""`kill -9` of miners and super node while stored shards are audited: nobody is blamed for it."""

from pathlib import Path

import pytest
from chaos_network import ChaosNetwork, chaos_network, noise, seeded
from cybervein_up.child import Child

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(1800)]

KILLS = 35
EPOCH_SECONDS = 8  # a restart takes less than the grace of an epoch, however busy the machine is


async def test_a_crash_during_an_audit_costs_no_bond_and_no_byte(tmp_path: Path) -> None:
    rng = seeded("audit")
    async with chaos_network(tmp_path / "net", rng, miners=4, epoch_seconds=EPOCH_SECONDS) as chaos:
        file = noise(tmp_path / "held.bin", 3_000_000, rng)
        await chaos.put(file)
        struck: dict[str, int] = {}
        while chaos.kills.total() < KILLS:
            await chaos.until(lambda: audits_are_due(chaos))
            await chaos.pause(0.4)
            if victims := await heard_again(chaos, struck):
                victim = rng.choice(victims)
                struck[victim.url] = await chaos.epoch()
                await chaos.strike(victim)
        await chaos.until(lambda: all_passed_again(chaos))
        for miner in (await chaos.get("/v1/miners"))["miners"]:
            assert miner["audits"]["wrong"] == 0, f"{miner['address']} is blamed for a crash"
            assert miner["penalties"] == 0
        await chaos.assert_readable(file, tmp_path / "copy")
        await chaos.assert_ledger_whole()


async def audits_are_due(chaos: ChaosNetwork) -> bool:
    """The second half of an epoch, in which the super node challenges the holders."""
    chain = await chaos.get("/v1/network")
    return bool(chain["now"] >= chain["proof_deadline"] - 0.5)


async def heard_again(chaos: ChaosNetwork, struck: dict[str, int]) -> list[Child]:
    """Who may be killed now: nobody is to be silent for longer than the grace.

    The super node once an epoch; a miner that passed an audit later than the epoch of its kill.
    """
    epoch, rows = await chaos.epoch(), (await chaos.get("/v1/miners"))["miners"]
    passed = {m["url"]: m["last_audit_epoch"] or 0 for m in rows if m["last_audit"] == "passed"}
    found = [
        child
        for child in chaos.network.miners.values()
        if passed.get(child.url, -1) > struck.get(child.url, -1)
    ]
    return [chaos.supernode, *found] if struck.get(chaos.supernode.url, -1) < epoch else found


async def all_passed_again(chaos: ChaosNetwork) -> bool:
    """Every miner that holds shards has passed the audit of a recent epoch."""
    epoch = await chaos.epoch()
    holders = [m for m in (await chaos.get("/v1/miners"))["miners"] if m["held_shards"]]
    recent = [m for m in holders if (m["last_audit_epoch"] or 0) >= epoch - 2]
    return bool(holders) and all(m in recent and m["last_audit"] == "passed" for m in holders)
