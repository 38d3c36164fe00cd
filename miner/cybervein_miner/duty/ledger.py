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
from cybervein_protocol.errors import ConflictError, CyberVeinError, UnknownError
from cybervein_protocol.ledger.mining.bodies import MinerDrain, MinerRegister
from cybervein_protocol.signing import parse_address
from msgspec.structs import replace

from cybervein_miner.chain.naming import SelfNaming
from cybervein_miner.chain.paid import EPOCHS
from cybervein_miner.chain.sight import Sight
from cybervein_miner.chain.standing import Standing
from cybervein_miner.chain.super_node import MinersSuperNode
from cybervein_miner.chain.units import UnitWriter, ensure_registered
from cybervein_miner.duty.recovery import Recovery
from cybervein_miner.duty.upkeep import Stopping
from cybervein_miner.leaving.drain import Drain
from cybervein_miner.plot.batches import Batches
from cybervein_miner.plot.inventory import Inventory, OwnPlot, PlotState
from cybervein_miner.plot.plotter import Plotter
from cybervein_miner.prover.commits import CommitProver

_UNDECIDED_SECONDS: Final = 1.0
_SETTLED_SECONDS: Final = 10.0
_FAILED_SECONDS_MAX: Final = 60.0
_DOUBLINGS_MAX: Final = 6
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
    naming: SelfNaming
    drain: Drain
    sight: Sight
    stopping: Stopping
    recovery: Recovery
    wish: MinerRegister
    heard: bool = False
    """Whether the ledger was heard since the start: until then the journal may be an old one."""
    _failures: int = 0
    _told: str = ""
    _refused: tuple[int, str] = (-1, "")
    _insisted: int = -1
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _loop: asyncio.AbstractEventLoop | None = None

    async def epoch_begun(self) -> None:
        """Before proving: take over which plots count."""
        view = await self.super_node.own_miner(epochs=EPOCHS)
        if view is not None:
            self.batches.follow(view)
            self.standing.see(view)
            self.standing.paid.see(view.epochs, view.batches)
        elif self.standing.registered:
            self.standing.see(None)  # its super node was restored from before: register again
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
                    self._failures, self.heard = 0, True
                except CyberVeinError as error:
                    self._failures += 1
                    self._tell(str(error))
            await self._pause()

    async def _pause(self) -> None:
        """A short pause while something is undecided, longer after failures, or until an epoch."""
        waits = self._settled() or self._refused[0] == self.sight.epoch
        seconds = _SETTLED_SECONDS if waits else _UNDECIDED_SECONDS
        seconds = min(_FAILED_SECONDS_MAX, seconds * 2 ** min(_DOUBLINGS_MAX, self._failures))
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
        if standing.ledger is None or standing.draining or self.recovery.due(standing.ledger):
            return False
        return not any(map(self._waits, self.inventory.rows(*_UNDECIDED, PlotState.ACTIVE)))

    def _waits(self, row: OwnPlot) -> bool:
        """Whether something is to happen to a plot; one that rests on a leaving disk has time."""
        if row.state is PlotState.ACTIVE:
            return not self.inventory.stays(row)
        inventory = self.inventory
        return row.state is not PlotState.MADE or inventory.stays(row) or inventory.forgotten(row)

    async def _round(self, now: NetworkDocument) -> None:
        if self._settled() and not self.drain.wanted and not self.standing.due():
            return
        view = await self._known()
        self.standing.see(view)
        if view is None:
            return
        await self.naming.tell()
        self.batches.follow(view)
        await self.batches.settle_sent()
        if self.recovery.due(view):
            await self.recovery.look(view, contested=self.standing.twin.seen)
        if not self.drain.wanted:
            await self._register(view)
        await self._answer_commits(view, now)
        await self.batches.rest(everything=self.drain.wanted)
        if await self.batches.retire():
            self.plotter.changed.set()

    async def _known(self) -> FullMinerDocument | None:
        """The ledger's view, once it has what was asked for; None if it need never know us."""
        view = await self.super_node.own_miner()
        self.recovery.account(view)
        if view is None and self.drain.wanted:
            return None
        if view is not None:
            self.standing.see(view)
        if not self.standing.twin.other or self._insisted != self.sight.epoch:
            self._insisted = self.sight.epoch
            wish = replace(self.wish, payout=parse_address(self.standing.payout))
            view = await ensure_registered(self.super_node, self.units, wish, view)
        if view is not None and view.draining and not self.drain.known:
            self.drain.ask(draining=True)  # the journal is younger than the drain
        if view is None or view.draining == self.drain.wanted:
            return view
        await self.units.write(MinerDrain(draining=self.drain.wanted))
        return await self.super_node.own_miner()

    async def _register(self, view: FullMinerDocument) -> None:
        """Send made plots; what the ledger refused is sent again in the next epoch, not before."""
        if self._refused[0] != self.sight.epoch:
            try:
                await self.batches.register(final_round=self.plotter.idle(), miner=view)
            except ConflictError as error:
                self._refused = (self.sight.epoch, str(error))
                self._tell(str(error))
            else:
                self._refused = (-1, "")
        self.standing.problem = self._refused[1]

    def _tell(self, problem: str) -> None:
        """One event for each problem, however often it is met."""
        self.standing.problem = problem
        if problem != self._told:
            self._told = problem
            _log.warning("ledger round failed; it is tried again", error=problem)

    async def _answer_commits(self, view: FullMinerDocument, now: NetworkDocument) -> None:
        for batch in view.batches:
            if batch.state == "pending":
                try:
                    await self.commits.answer(batch, now)
                except UnknownError as error:
                    self._tell(str(error))
