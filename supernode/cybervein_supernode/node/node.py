"""One super node: its parts, put together, and the tasks that keep it going."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

import structlog
from cybervein_protocol.encoding import cid_root, cid_text
from cybervein_protocol.ledger.epochs.beacon import prove_beacon
from cybervein_protocol.ledger.epochs.closing import EpochClose
from cybervein_protocol.ledger.storage.bodies import DealClose, DealCommit, DealOpen
from cybervein_protocol.ledger.units.events import EpochClosed
from cybervein_protocol.ledger.units.genesis import Genesis
from cybervein_protocol.signing import address
from cybervein_runtime.http_client import SignedClient
from cybervein_runtime.identity import Identity

from cybervein_supernode.audit.auditor import Auditor
from cybervein_supernode.bandwidth.meter import Meter
from cybervein_supernode.chain.store import Chain, CommittedBlock
from cybervein_supernode.chain.view import LedgerView
from cybervein_supernode.clock.driver import EpochDriver
from cybervein_supernode.clock.time_source import SystemTime, TimeSource
from cybervein_supernode.deals.grants import Placement
from cybervein_supernode.deals.verification import Deals
from cybervein_supernode.desk.desk import Desk
from cybervein_supernode.desk.events import EventHub
from cybervein_supernode.desk.notebook import Notebook
from cybervein_supernode.desk.tally import Tally
from cybervein_supernode.engine.bench import Bench
from cybervein_supernode.engine.solo import SoloEngine
from cybervein_supernode.intake.commit_intake import CommitIntake
from cybervein_supernode.intake.space_intake import SpaceIntake
from cybervein_supernode.node.home import Home
from cybervein_supernode.peers.miner_client import MinerClient
from cybervein_supernode.peers.public_only import public_session
from cybervein_supernode.placement.roster import Roster
from cybervein_supernode.repair.departures import Departures
from cybervein_supernode.repair.mover import Mover
from cybervein_supernode.repair.rebuild import Rebuilder
from cybervein_supernode.repair.repairer import Repairer
from cybervein_supernode.repair.watch import Watch
from cybervein_supernode.verify.evidence import EvidenceStore

if TYPE_CHECKING:
    from cybervein_supernode.clock.timeline import Timeline

log = structlog.get_logger()
RESTART_SECONDS = 1.0


class SuperNode:
    """Everything of one super node but its HTTP server; must be built inside a running loop."""

    def __init__(  # noqa: PLR0913 -- a node's circumstances
        self,
        home: Home,
        identity: Identity,
        genesis: Genesis,
        url: str,
        time: TimeSource | None = None,
        *,
        ca: str = "",
    ) -> None:
        self.url, self.ca = url, ca
        source = time or SystemTime()
        chain = Chain(home.ledger, genesis)
        self.app_hash = chain.machine.app_hash
        engine = SoloEngine(Bench(chain, identity.keys, genesis.preset), self._on_block)
        self.desk = Desk(
            identity=identity,
            view=LedgerView(home.ledger, genesis),
            engine=engine,
            evidence=EvidenceStore(home.evidence, genesis.preset.evidence_epochs),
            notebook=Notebook(home.notebook),
            hub=EventHub(source.wall),
            tally=Tally(),
            time=source,
        )
        session = None if genesis.preset.declared_domains else public_session()
        self._http = SignedClient(identity.keys, session)
        self._public_session = session
        miners = MinerClient(self.desk.view.network, identity.keys, self._http)
        self.roster = Roster(self.desk, miners)
        self.placement = Placement(self.desk, self.roster, miners)
        self.deals = Deals(self.desk, miners)
        self.space = SpaceIntake(self.desk, self.in_time)
        self.commits = CommitIntake(self.desk)
        rebuilder = Rebuilder(self.desk, self.roster, miners)
        self._repairer = Repairer(self.desk, Watch(self.desk), rebuilder)
        self.departures = Departures(self.desk)
        self.mover = Mover(self.desk, self.departures, rebuilder)
        duties = (Auditor(self.desk, miners).run, Meter(self.desk, miners).run)
        self.driver: EpochDriver = EpochDriver(
            genesis.preset, self, self.space.issue_results, duties, self.desk.time
        )
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Start the engine, the roster and the epochs."""
        parts = (self.desk.engine, self.roster, self.driver, self._repairer, self.mover)
        for work in (part.run for part in parts):
            task = asyncio.create_task(_kept_going(work), name=work.__qualname__)
            self._tasks.append(task)

    async def stop(self) -> None:
        """End tasks and streams, finish the block in progress, close files."""
        self.desk.hub.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.desk.engine.close()
        self.desk.judges.shutdown()
        self.desk.notebook.close()
        await self._http.close()
        if self._public_session is not None:
            await self._public_session.close()

    @property
    def ended(self) -> list[str]:
        """Tasks that ended although they should not: only a restart helps."""
        return [task.get_name() for task in self._tasks if task.done()]

    def in_time(self) -> bool:
        """Whether space proofs of the open epoch are still taken."""
        return self.driver.in_time()

    def open_epoch(self) -> int:
        """Index of the open epoch."""
        return self.desk.view.head().epoch

    def results_issued(self, epoch: int) -> bool:
        """Whether `space.result` of that epoch is in the ledger."""
        return self.space.results_issued(epoch)

    async def close_epoch(self, epoch: int) -> None:
        """Issue `epoch.close` unless it is there already (a retry after a failure)."""
        head = self.desk.view.head()
        if head.epoch != epoch:
            return
        seed = self.desk.identity.vrf_seed
        proof = await self.desk.judge(lambda: prove_beacon(seed, head.beacon, epoch))
        await self.desk.engine.issue(EpochClose(epoch=epoch, vrf_proof=proof))
        await self.desk.judge(lambda: self.desk.evidence.prune(epoch))
        self.desk.notebook.prune(epoch, self.desk.preset.deal_open_epochs)

    def clock_json(self) -> dict[str, object]:
        """The open epoch's moments in unix seconds of this machine's clock."""
        timeline: Timeline = self.driver.timeline
        return {
            "now": self.desk.time.wall(),
            "epoch_began": self.driver.wall_of(timeline.began),
            "proof_deadline": self.driver.wall_of(timeline.deadline),
            "epoch_ends": self.driver.wall_of(timeline.ends),
        }

    def _on_block(self, made: CommittedBlock) -> None:
        """On the event loop, after each commit."""
        block = made.block
        self.app_hash = block.app_hash
        self.desk.tally.add("blocks")
        for parsed in made.units:
            self.desk.tally.add("units", parsed.unit.kind)
        self.desk.tally.add("void_units", amount=len(block.voids))
        self.desk.hub.publish(
            "block",
            {
                "height": block.height,
                "epoch": block.epoch,
                "units": len(block.units),
                "voids": len(block.voids),
                "kinds": sorted({parsed.unit.kind for parsed in made.units}),
                "app_hash": block.app_hash.hex(),
            },
        )
        self._tell_more(made)

    def _tell_more(self, made: CommittedBlock) -> None:
        """Deals and epochs have events of their own."""
        void = {entry.unit for entry in made.block.voids}
        for parsed in made.units:
            if isinstance(parsed.body, DealOpen | DealCommit | DealClose) and parsed.id not in void:
                deal = parsed.id if isinstance(parsed.body, DealOpen) else parsed.body.deal
                if not isinstance(parsed.body, DealOpen):
                    self.desk.notebook.forget_deal(cid_root(deal))
                owner = address(parsed.unit.issuer)
                data = {"deal": cid_text(deal), "what": parsed.unit.kind, "owner": owner}
                self.desk.hub.publish("deal", data)
        for event in made.result.events:
            if isinstance(event, EpochClosed):
                self.desk.hub.publish(
                    "epoch",
                    {
                        "epoch": event.epoch,
                        "minted": event.minted,
                        "weight": event.weight,
                        "beacon": event.next_beacon.hex(),
                    },
                )


async def _kept_going(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """A task that ends by an error of ours is logged and begun again."""
    while True:
        try:
            await work()
        except Exception:
            log.exception("task failed; starting it again", task=work.__qualname__)
            await asyncio.sleep(RESTART_SECONDS)
