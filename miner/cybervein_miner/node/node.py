"""A whole miner: its parts, its start and its graceful stop.

Start: keys, network, journal, disks; then tidy what a crash left; then serve. What must not be lost
is in the journal before anyone is told. Stop: plotters and replays abandon their work, open
requests finish, the journal closes last.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog
from cybervein_protocol.errors import ConflictError, StorageError
from cybervein_runtime.duty import Duty
from cybervein_runtime.http_client import SignedClient
from fastapi import FastAPI

from cybervein_miner.api.app import Border, build_app
from cybervein_miner.chain.super_node import MinersSuperNode
from cybervein_miner.disk.threads import DaemonThreads
from cybervein_miner.duty.accounting import account_once
from cybervein_miner.duty.keeping import Keeper
from cybervein_miner.duty.ledger import LedgerLoop
from cybervein_miner.duty.upkeep import Upkeep
from cybervein_miner.leaving.disks import Leaving
from cybervein_miner.node.basis import Basis
from cybervein_miner.plot.plotter import Plotter
from cybervein_miner.prover.commits import CommitProver
from cybervein_miner.prover.epochs import EpochWatch
from cybervein_miner.shard.scrub import Scrubber
from cybervein_miner.shard.trash import Trash
from cybervein_miner.status.board import StatusBoard

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True, eq=False)
class Miner:
    """One miner process: what it rests on, and the parts that `assembly` made, each once."""

    basis: Basis
    keeper: Keeper
    trash: Trash
    leaving: Leaving
    plotter: Plotter
    commits: CommitProver
    watch: EpochWatch
    ledger: LedgerLoop
    upkeep: Upkeep
    scrubber: Scrubber
    board: StatusBoard
    border: Border
    duties: tuple[Duty, ...]

    @property
    def left_behind(self) -> bool:
        """Whether work in threads outlasted the stop."""
        return self.keeper.left_behind

    def app(self) -> FastAPI:
        """What serves; the duties run for as long as it does."""
        return build_app(self.border, self._lifespan)

    def open(self) -> None:
        """Open disks and put right what a crash left; a bad disk is named, the others keep working.

        So does a miner whose disks are all away, or wait to be claimed (ConflictError): it says so
        until one is there. Only one that never had a disk ends here (StorageError): a path was
        mistyped, and who typed it is reading. Whom another key rules from afar starts all the same,
        as its status is all that anybody reads.
        """
        rack, rules = self.basis.rack, self.basis.settings.control
        refusals = rack.open(self.basis.settings.disks)
        waits = any(isinstance(error, ConflictError) for error in rack.refused.values())
        if not rack.disks and rules is None and not waits:
            raise StorageError("; ".join(refusals) or "no disk was given; use --disk PATH")
        self.upkeep.events.look()
        self.upkeep.begin()
        if waits and rack.unaccounted.plots is None:
            asyncio.run(self._account())
            self.upkeep.take_in(rack.try_refused())
        self.upkeep.tell_refused()

    async def _account(self) -> None:
        """Ask the ledger, before anything serves, whether what is empty here may be claimed."""
        basis = self.basis
        async with SignedClient(trust=basis.file.trust) as http:
            ledger = MinersSuperNode(basis.super_node.url, http, basis.clock, basis.inventory.miner)
            await account_once(basis.inventory, ledger)

    @asynccontextmanager
    async def _lifespan(self, app: FastAPI) -> AsyncIterator[None]:
        del app
        asyncio.get_running_loop().set_default_executor(DaemonThreads("miner"))
        self.keeper.start(self.duties)
        try:
            yield
        finally:
            self._request_stop()
            await self.keeper.wait()
            await self.basis.http.close()
            self.basis.rack.let_go()
            self.basis.journal.close()

    def _request_stop(self) -> None:
        self.basis.stopping.request()
        self.ledger.wake()
        self.watch.stop()
        self.plotter.stop()
        self.commits.stop()
