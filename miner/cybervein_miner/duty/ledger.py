"""The loop that keeps a miner and the ledger in step: registration, drain, batches, retirements.

The wish is compared with the ledger in every epoch, so that a new URL or payout account reaches it.

It does one round after the other; what fails in a round is said and tried again in the next.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Final

import structlog
from cybervein_protocol.api.super_node.miners import FullMinerDocument
from cybervein_protocol.api.super_node.network import NetworkDocument
from cybervein_protocol.errors import CyberVeinError
from cybervein_protocol.ledger.mining.bodies import MinerDrain, MinerRegister

from cybervein_miner.chain.paid import EPOCHS
from cybervein_miner.chain.sight import Sight
from cybervein_miner.chain.standing import Standing
from cybervein_miner.chain.super_node import MinersSuperNode
from cybervein_miner.chain.units import UnitWriter, ensure_registered
from cybervein_miner.duty.upkeep import Stopping
from cybervein_miner.leaving.drain import Drain
from cybervein_miner.plot.batches import Batches
from cybervein_miner.plot.inventory import Inventory, OwnPlot, PlotState
from cybervein_miner.plot.plotter import Plotter
from cybervein_miner.prover.commits import CommitProver

_UNDECIDED_SECONDS: Final = 1.0
_SETTLED_SECONDS: Final = 10.0
_UNDECIDED = (PlotState.MADE, PlotState.SENT, PlotState.PENDING, PlotState.RETIRING, PlotState.BAD)
_log = structlog.get_logger()


@dataclass(kw_only=True, eq=False)
class LedgerLoop:
    """Registration, drain, batches, commit audits, retirements: soon after anything changes."""

    super_node: MinersSuperNode
    units: UnitWriter
    batches: Batches
    commits: CommitProver
    plotter: Plotter
    inventory: Inventory
    standing: Standing
    drain: Drain
    sight: Sight
    stopping: Stopping
    wish: MinerRegister
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _loop: asyncio.AbstractEventLoop | None = None

    async def epoch_begun(self) -> None:
        """Before proving: take over which plots count."""
        view = await self.super_node.own_miner(epochs=EPOCHS)
        if view is not None:
            self.batches.follow(view)
            self.standing.see(view)
            self.standing.paid.see(view.epochs)
        self._changed.set()

    def wake(self) -> None:
        """Look again now; from any thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._changed.set)

    async def run(self) -> None:
        """Rounds until stopped; none while the super node is away."""
        self._loop = asyncio.get_running_loop()
        self.standing.reach.begin()
        while not self.stopping.requested:
            view = self.sight.now()
            if view is not None:
                try:
                    await self._round(view)
                except CyberVeinError as error:
                    self.standing.problem = str(error)
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
        standing, draining = self.standing, self.drain.wanted
        if draining:
            return self.drain.drained
        if not standing.registered or standing.draining:
            return False
        return not any(map(self._waits, self.inventory.rows(*_UNDECIDED, PlotState.ACTIVE)))

    def _waits(self, row: OwnPlot) -> bool:
        """Whether something is to happen to a plot; one that rests on a leaving disk has time."""
        if row.state is PlotState.ACTIVE:
            return not self.inventory.stays(row)
        return row.state is not PlotState.MADE or self.inventory.stays(row)

    async def _round(self, now: NetworkDocument) -> None:
        if self._settled() and not self.drain.wanted and not self.standing.due():
            return
        view = await self._known()
        self.standing.see(view)
        if view is None:
            return
        self.batches.follow(view)
        await self.batches.settle_sent()
        if not self.drain.wanted:
            await self.batches.register(final_round=self.plotter.idle(), miner=view)
        await self._answer_commits(view, now)
        await self.batches.rest(everything=self.drain.wanted)
        if await self.batches.retire():
            self.plotter.changed.set()

    async def _known(self) -> FullMinerDocument | None:
        """The ledger's view, once it has what was asked for; None if it need never know us."""
        if self.drain.wanted and await self.super_node.own_miner() is None:
            return None
        view = await ensure_registered(self.super_node, self.units, self.wish)
        if view is None or view.draining == self.drain.wanted:
            return view
        await self.units.write(MinerDrain(draining=self.drain.wanted))
        return await self.super_node.own_miner()

    async def _answer_commits(self, view: FullMinerDocument, now: NetworkDocument) -> None:
        for batch in view.batches:
            if batch.state == "pending":
                await self.commits.answer(batch, now)
