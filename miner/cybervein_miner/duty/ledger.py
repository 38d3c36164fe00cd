"""The loop that keeps a miner and the ledger in step: registration, drain, batches, retirements.

It does one round after the other; what fails in a round is said and tried again in the next.
"""

import asyncio
from collections.abc import Callable
from typing import Final

import structlog
from cybervein_protocol.errors import CyberVeinError
from cybervein_protocol.ledger.mining.bodies import MinerDrain, MinerRegister

from cybervein_miner.chain.standing import Standing
from cybervein_miner.chain.super_node import MinerView, NetworkView, SuperNode
from cybervein_miner.chain.units import UnitWriter, ensure_registered
from cybervein_miner.duty.upkeep import Stopping
from cybervein_miner.leaving.drain import Drain
from cybervein_miner.plot.batches import Batches
from cybervein_miner.plot.inventory import Inventory, PlotRow, PlotState
from cybervein_miner.plot.plotter import Plotter
from cybervein_miner.prover.commits import CommitProver

_UNDECIDED_SECONDS: Final = 1.0
_SETTLED_SECONDS: Final = 10.0
_UNDECIDED = (PlotState.MADE, PlotState.SENT, PlotState.PENDING, PlotState.RETIRING, PlotState.BAD)
_log = structlog.get_logger()


class LedgerLoop:
    """Registration, drain, batches, commit audits, retirements: soon after anything changes."""

    def __init__(  # noqa: PLR0913, PLR0917 -- built once, in node.py
        self,
        super_node: SuperNode,
        units: UnitWriter,
        batches: Batches,
        commits: CommitProver,
        plotter: Plotter,
        inventory: Inventory,
        standing: Standing,
        drain: Drain,
    ) -> None:
        self._super_node, self._units, self._batches = super_node, units, batches
        self._commits, self._plotter, self._inventory = commits, plotter, inventory
        self._standing, self._drain = standing, drain
        self._changed = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def epoch_begun(self) -> None:
        """Before proving: take over which plots count."""
        view = await self._super_node.miner()
        if view is not None:
            self._batches.follow(view)
            self._standing.see(view)
        self._changed.set()

    def wake(self) -> None:
        """Look again now; from any thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._changed.set)

    async def run(
        self, stopping: Stopping, wish: MinerRegister, now: Callable[[], NetworkView | None]
    ) -> None:
        """Rounds until stopped; none while the super node is away."""
        self._loop = asyncio.get_running_loop()
        while not stopping.requested:
            view = now()
            if view is not None:
                try:
                    await self._round(wish, view)
                except CyberVeinError as error:
                    self._standing.problem = str(error)
                    _log.warning("ledger round failed", error=str(error))
            await self._pause()

    async def _pause(self) -> None:
        """A short pause while something is undecided, else until the next epoch."""
        seconds = _SETTLED_SECONDS if self._settled() else _UNDECIDED_SECONDS
        try:
            await asyncio.wait_for(self._changed.wait(), seconds)
        except TimeoutError:
            return
        self._changed.clear()

    def _settled(self) -> bool:
        """Whether nothing waits for a unit or a verdict."""
        standing, draining = self._standing, self._drain.wanted
        if draining:
            return self._drain.drained
        if not standing.registered or standing.draining:
            return False
        return not any(map(self._waits, self._inventory.rows(*_UNDECIDED, PlotState.ACTIVE)))

    def _waits(self, row: PlotRow) -> bool:
        """Whether something is to happen to a plot; one that rests on a leaving disk has time."""
        if row.state is PlotState.ACTIVE:
            return not self._inventory.stays(row)
        return row.state is not PlotState.MADE or self._inventory.stays(row)

    async def _round(self, wish: MinerRegister, now: NetworkView) -> None:
        if self._settled() and not self._drain.wanted:
            return
        view = await self._known(wish)
        self._standing.see(view)
        if view is None:
            return
        self._batches.follow(view)
        await self._batches.settle_sent()
        if not self._drain.wanted:
            await self._batches.register(final_round=self._plotter.idle(), miner=view)
        await self._answer_commits(view, now)
        await self._batches.rest(everything=self._drain.wanted)
        if await self._batches.retire():
            self._plotter.changed.set()

    async def _known(self, wish: MinerRegister) -> MinerView | None:
        """The ledger's view, once it has what was asked for; None if it need never know us."""
        if self._drain.wanted and await self._super_node.miner() is None:
            return None
        view = await ensure_registered(self._super_node, self._units, wish)
        if view is None or view.draining == self._drain.wanted:
            return view
        await self._units.write(MinerDrain(draining=self._drain.wanted))
        return await self._super_node.miner()

    async def _answer_commits(self, view: MinerView, now: NetworkView) -> None:
        for batch in view.batches:
            if batch.state == "pending":
                await self._commits.answer(batch, now)
