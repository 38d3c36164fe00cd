"""A whole miner: its parts, its start and its graceful stop.

Start: keys, network, journal, disks; then tidy what a crash left; then serve. What must not be lost
is in the journal before anyone is told. Stop: plotters and replays abandon their work, open
requests finish, the journal closes last.
"""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Final

import structlog
from cybervein_protocol import vrf
from cybervein_protocol.errors import StorageError
from cybervein_protocol.ledger.mining.bodies import MinerRegister
from cybervein_protocol.signing import address
from cybervein_protocol.space import PlotShape
from cybervein_runtime.http_client import SignedClient
from cybervein_runtime.http_server import Authenticator
from cybervein_runtime.network_file import load_network
from fastapi import FastAPI

from cybervein_miner.api.acts import Control
from cybervein_miner.api.app import build_app
from cybervein_miner.api.audits import Auditee
from cybervein_miner.api.door import Door
from cybervein_miner.api.shards import ShardEndpoint
from cybervein_miner.api.throttle import Throttle
from cybervein_miner.chain.clock import NetworkClock
from cybervein_miner.chain.standing import Standing
from cybervein_miner.chain.super_node import NetworkView, SuperNode
from cybervein_miner.chain.units import UnitWriter
from cybervein_miner.disk.disk import Disk
from cybervein_miner.disk.rack import Rack
from cybervein_miner.duty.ledger import LedgerLoop
from cybervein_miner.duty.upkeep import Stopping, Upkeep, empty_disks, guarded, scrub
from cybervein_miner.leaving.disks import Leaving
from cybervein_miner.leaving.drain import Drain
from cybervein_miner.node.keys import identity_of
from cybervein_miner.node.settings import Settings
from cybervein_miner.plot.adoption import take_in
from cybervein_miner.plot.batches import Batches
from cybervein_miner.plot.inventory import Inventory
from cybervein_miner.plot.plotter import Plotter
from cybervein_miner.prover.commits import CommitProver
from cybervein_miner.prover.epochs import EpochWatch
from cybervein_miner.prover.space import SpaceProver
from cybervein_miner.record.journal import Journal
from cybervein_miner.record.tally import Tally
from cybervein_miner.shard.orders import OrderBook
from cybervein_miner.shard.scrub import Pace, Scrubber
from cybervein_miner.shard.store import ShardStore
from cybervein_miner.shard.trash import Trash, tidy
from cybervein_miner.shard.vacate import Vacater
from cybervein_miner.shard.wanted import WantedShards
from cybervein_miner.status.board import StatusBoard
from cybervein_miner.status.vitals import Vitals

THREADS: Final = 16
STOP_SECONDS_MAX: Final = 20.0
"""After this the loops are left behind: what must not be lost is in the journal already."""
_log = structlog.get_logger()


class Node:
    """One miner process. `url` is what it listens on unless the settings say what others see."""

    def __init__(self, settings: Settings, url: str) -> None:
        self.settings = settings
        self.network = load_network(settings.network)
        self.identity = identity_of(settings)
        self.preset = self.network.genesis.preset
        self.clock, self.tally, self.stopping = NetworkClock(), Tally(), Stopping()
        self.standing, self.ended = Standing(), list[str]()
        self.left_behind = False  # whether work in threads outlasted the stop
        self._build_storage()
        self._build_mining()
        self._build_loops(settings.url or url)
        self.app = self._build_border()

    def _build_storage(self) -> None:
        settings, keys = self.settings, self.identity.keys
        self.journal = Journal(settings.journal_file)
        seen = self.journal.read("SELECT value FROM counter WHERE name = 'epoch'")
        self._last_epoch = int(seen[0][0]) if seen else 0
        self.rack = Rack(keys, self.journal, settings.floor)
        self.store = ShardStore(self.rack, self.journal)
        self.orders = OrderBook(self.journal)
        self.trash = Trash(self.rack, self.journal, settings.trash_seconds)
        shape = PlotShape(self.preset.plot_rows_log2, self.preset.plot_layers)
        self.inventory = Inventory(self.rack, self.journal, keys.public, shape)
        self.drain = Drain(self.journal, self.standing)
        self.throttle = Throttle(settings.bandwidth)

    def _build_mining(self) -> None:
        settings, keys, network = self.settings, self.identity.keys, self.network.network
        self.http = SignedClient(trust=self.network.trust)
        url = settings.super_node or self.network.url
        self.super_node = SuperNode(url, self.http, self.clock, keys.public)
        self.plotter = Plotter(
            keys, self.inventory, settings.wish, settings.plot_threads, self.tally
        )
        self.plotter.paused = self.drain.wanted
        vacater = Vacater(self.store, self.stopping.threads.is_set)
        self.leaving = Leaving(
            *(self.rack, self.store, self.inventory, vacater, self.super_node, keys)
        )
        units = UnitWriter(network, keys, self.super_node)
        self.batches = Batches(self.inventory, self.super_node, units, self.preset)
        self.commits = CommitProver(
            network, keys, self.preset, self.batches, self.super_node, self.tally
        )
        prover = SpaceProver(network, self.identity, self.inventory)
        self.watch = EpochWatch(self.preset, self.super_node, prover, self._epoch_begun, self.tally)
        self.drain.away = lambda: self.watch.reachable is False
        self.board = StatusBoard(
            *(network, keys.public, self.inventory, self.plotter, self.store.index),
            *(self.watch, self.clock, self.tally, self.drain, self.leaving),
            *(self.standing, settings.bandwidth),
        )
        self.ledger = LedgerLoop(
            *(self.super_node, units, self.batches, self.commits, self.plotter),
            *(self.inventory, self.standing, self.drain),
        )

    def _build_loops(self, url: str) -> None:
        payout = self.settings.payout or self.identity.keys.public
        self.standing.url, self.standing.payout = url, address(payout)
        self.standing.group, self.standing.owner = self.settings.group, self.settings.owner
        self.wish = MinerRegister(
            vrf=vrf.public_key(self.identity.vrf_seed),
            payout=payout,
            url=url,
            group=self.settings.group,
            owner=self.settings.owner,
        )
        grace_seconds = float(self.preset.grace_epochs * self.preset.epoch_seconds)
        wanted = WantedShards(self.store, self.super_node, grace_seconds)
        self.upkeep = Upkeep(self.rack, self.plotter, self.trash, wanted, self._take_in)
        pace = Pace(self.settings.scrub_bytes_per_second, self.stopping.threads)
        self.scrubber = Scrubber(self.store, pace)

    def _build_border(self) -> FastAPI:
        keys, network = self.identity.keys, self.network
        door = Door(
            network.network,
            keys.public,
            [key for _, key in network.super_nodes],
            self._epoch,
            Authenticator(self.clock.now),
            lambda: self.drain.wanted,
            self.settings.control,
        )
        shards = ShardEndpoint(keys, door, self.store, self.orders, self.tally, self.throttle)
        auditee = Auditee(network.network, keys, self.store, self.inventory, self.tally)
        control = Control(
            *(self.rack, self.store, self.plotter, self.leaving, self.drain, self.board),
            *(self._take_in, self.ledger.wake),
        )
        vitals = Vitals(self.rack, self.board, self.journal, self.ended, self._epoch_known)
        return build_app(
            *(door, shards, auditee, self.orders, self.throttle, control, self.board.document),
            *(vitals.probes(), self._lifespan),
        )

    def open(self) -> None:
        """Open disks and put right what a crash left; a bad disk is named, the others keep working.

        So does a miner whose disks are all away: it says so until one is back. Only one that never
        had a disk ends here (StorageError): a path was mistyped, and who typed it is reading. Whom
        another key rules from afar starts all the same, as its status is all that anybody reads.
        """
        refusals = self.rack.open(self.settings.disks)
        if not self.rack.disks and self.settings.control is None:
            raise StorageError("; ".join(refusals) or "no disk was given; use --disk PATH")
        for refusal in refusals:
            _log.error("disk is refused and tried again; the others keep working", reason=refusal)
        self._take_in(self.rack.disks)

    def _take_in(self, disks: list[Disk]) -> None:
        adopted = tidy(disks, self.journal, int(self.clock.now()))
        if adopted:
            _log.warning("adopted shards that the journal did not know", shards=len(adopted))
        for problem in take_in(self.inventory, self.identity.keys, disks):
            _log.error("plot is not used", problem=problem)

    @asynccontextmanager
    async def _lifespan(self, app: FastAPI) -> AsyncIterator[None]:
        del app
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS, "miner"))
        loops = {
            "epochs": self.watch.run(),
            "ledger": self.ledger.run(self.stopping, self.wish, self._now),
            "plotter": self.plotter.run(),
            "upkeep": self.upkeep.run(self.stopping, self._reachable),
            "scrub": scrub(self.stopping, self.scrubber),
            "leaving": empty_disks(self.stopping, self.leaving, self.drain, self._reachable),
        }
        tasks = [
            asyncio.create_task(guarded(name, loop, self.ended)) for name, loop in loops.items()
        ]
        try:
            yield
        finally:
            self._request_stop()
            _, left = await asyncio.wait(tasks, timeout=STOP_SECONDS_MAX)
            self.left_behind = bool(left)
            await self.http.close()
            self.journal.close()

    def _epoch_known(self) -> bool:
        """An epoch that was heard before a restart is as good: orders are judged by the later."""
        return self.watch.view is not None or self._last_epoch > 0

    def _reachable(self) -> bool:
        return bool(self.watch.reachable)

    def _now(self) -> NetworkView | None:
        return self.watch.view if self.watch.reachable else None

    def _request_stop(self) -> None:
        self.stopping.request()
        self.ledger.wake()
        self.watch.stop()
        self.plotter.stop()
        self.commits.stop()

    def _epoch(self) -> int:
        """The open epoch; after a restart at least the last one seen, so that none returns."""
        return max(self.watch.epoch, self._last_epoch)

    async def _epoch_begun(self, view: NetworkView) -> None:
        await self.orders.forget(view.epoch)
        await self.journal.write(
            lambda db: db.execute(
                "INSERT OR REPLACE INTO counter VALUES ('epoch', ?)", (view.epoch,)
            ),
            durable=False,
        )
        await self.ledger.epoch_begun()
