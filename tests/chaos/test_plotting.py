"""`kill -9` of miners while they plot: what was whole stays whole, what was not goes away."""

import asyncio
from pathlib import Path

import pytest
from chaos_network import ChaosNetwork, chaos_network, file_root, seeded

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(1800)]

KILLS = 50
PLOT_BYTES = 512 << 10  # of the `test` preset


async def test_no_whole_plot_is_lost_and_none_is_broken(tmp_path: Path) -> None:
    rng = seeded("plotting")
    async with chaos_network(tmp_path, rng, miners=2, plots=600) as chaos:
        while chaos.kills.total() < KILLS:
            await asyncio.gather(*(kill_while_plotting(chaos, number) for number in (1, 2)))
        for number in (1, 2):
            await check_plots(chaos, number)
        await chaos.assert_ledger_whole()


async def kill_while_plotting(chaos: ChaosNetwork, number: int) -> None:
    miner = chaos.network.miners[number]
    await chaos.pause(0.7)
    whole = {name: path.stat().st_mtime_ns for name, path in chaos.plots_on_disk(number).items()}
    await chaos.strike(miner)
    after = chaos.plots_on_disk(number)
    for name, written in whole.items():
        assert name in after, f"{miner.name} lost {name}"
        assert after[name].stat().st_mtime_ns == written, f"{miner.name} plotted {name} again"


async def check_plots(chaos: ChaosNetwork, number: int) -> None:
    """What the miner lists is on disk, and what the ledger holds of it can be proven."""

    async def settled() -> bool:
        status = await chaos.status(number)
        ledger = await chaos.get(f"/v1/miners/{status['address']}")
        listed = status["plots"] == len(chaos.plots_on_disk(number))
        return listed and int(ledger["plots_active"]) > 0

    await chaos.until(settled)
    status = await chaos.status(number)
    assert status["plots_by_state"]["bad"] == 0
    assert status["plots_by_state"]["void"] == 0
    paths = list(chaos.plots_on_disk(number).values())
    assert len({file_root(path) for path in paths}) == len(paths), "two plots are the same bytes"
    assert {path.stat().st_size for path in paths} == {PLOT_BYTES}
