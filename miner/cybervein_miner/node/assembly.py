"""The parts of one miner, each made once, in one place; and its list of duties."""

from collections import Counter
from collections.abc import Callable
from functools import partial

import structlog
from cybervein_protocol import vrf
from cybervein_protocol.api.super_node.network import NetworkDocument
from cybervein_protocol.ledger.mining.bodies import MinerRegister
from cybervein_protocol.signing import address, parse_address
from cybervein_runtime.duty import Duty

from cybervein_miner.api.acts import Control
from cybervein_miner.chain.naming import SelfNaming
from cybervein_miner.chain.units import UnitWriter
from cybervein_miner.disk.belongings import tell_strays
from cybervein_miner.disk.disk import Disk
from cybervein_miner.disk.late import LateWatch
from cybervein_miner.duty.accounting import account_once
from cybervein_miner.duty.disk_events import DiskEvents
from cybervein_miner.duty.given_up import GivenUp
from cybervein_miner.duty.keeping import Keeper
from cybervein_miner.duty.ledger import LedgerLoop
from cybervein_miner.duty.recovery import Recovery
from cybervein_miner.duty.upkeep import Upkeep, empty_disks, scrub
from cybervein_miner.leaving.disks import Leaving
from cybervein_miner.node.basis import Basis, lay_basis
from cybervein_miner.node.border import border, status_board
from cybervein_miner.node.node import Miner
from cybervein_miner.node.settings import Settings
from cybervein_miner.plot.adoption import take_in
from cybervein_miner.plot.batches import Batches
from cybervein_miner.plot.doubts import PlotDoubts
from cybervein_miner.plot.plotter import Plotter
from cybervein_miner.plot.takeover import Takeover
from cybervein_miner.prover.commits import CommitProver
from cybervein_miner.prover.epochs import EpochWatch
from cybervein_miner.prover.space import SpaceProver
from cybervein_miner.shard.claims import ClaimsBack
from cybervein_miner.shard.scrub import Pace, Scrubber
from cybervein_miner.shard.tidy import tidy
from cybervein_miner.shard.trash import Trash
from cybervein_miner.shard.vacate import Vacater
from cybervein_miner.shard.wanted import WantedShards

_log = structlog.get_logger()


def assemble(settings: Settings, url: str) -> Miner:
    """Every part; `url` is what the miner listens on unless the settings say what others see."""
    basis = lay_basis(settings, url)
    keeper = Keeper()
    plotter = Plotter(
        basis.identity.keys,
        basis.inventory,
        settings.wish,
        settings.plot_threads,
        basis.tally,
        paused=basis.drain.wanted,
    )
    store = basis.store
    trash = Trash(
        basis.rack, basis.journal, settings.trash_seconds, basis.ledger_time, store.arriving
    )
    trash.clearing = store.clearing
    leaving = _leaving(basis)
    late = LateWatch(basis.rack)
    ledger, commits = _ledger(basis, plotter)
    watch = _watch(basis, ledger, late)
    doubtful = store.index.totals().trash > 0

    def sure() -> bool:
        """Whether trash is trash: an old journal may call so what was stored again since."""
        return ledger.heard or not doubtful

    store.make_room = lambda size: sure() and trash.make_room(size)
    upkeep = _upkeep(basis, plotter, trash, late, sure)
    basis.rack.unaccounted.then = upkeep.hurry
    pace = Pace(settings.scrub_bytes_per_second, basis.stopping.threads)
    scrubber = Scrubber(basis.store, pace, basis.ledger_time)
    board = status_board(basis, plotter=plotter, leaving=leaving, watch=watch, trash=trash)
    control = Control(
        rack=basis.rack,
        store=basis.store,
        plotter=plotter,
        leaving=leaving,
        drain=basis.drain,
        disks=board.disks,
        take_in=upkeep.take_in,
        wake=ledger.wake,
        account=partial(account_once, basis.inventory, basis.super_node),
    )
    return Miner(
        basis=basis,
        keeper=keeper,
        trash=trash,
        leaving=leaving,
        plotter=plotter,
        commits=commits,
        watch=watch,
        ledger=ledger,
        upkeep=upkeep,
        scrubber=scrubber,
        board=board,
        border=border(basis, control, board, keeper),
        duties=(
            Duty("epochs", watch.run),
            Duty("ledger", ledger.run),
            Duty("plotter", plotter.run),
            Duty("upkeep", upkeep.run),
            Duty("scrub", lambda: scrub(basis.stopping, scrubber)),
            Duty("leaving", lambda: empty_disks(basis.stopping, leaving, basis.drain, basis.sight)),
        ),
    )


def _leaving(basis: Basis) -> Leaving:
    return Leaving(
        rack=basis.rack,
        store=basis.store,
        inventory=basis.inventory,
        vacater=Vacater(basis.store, basis.stopping.threads.is_set),
        super_node=basis.super_node,
        key=basis.identity.keys,
    )


def _ledger(basis: Basis, plotter: Plotter) -> tuple[LedgerLoop, CommitProver]:
    """What keeps the ledger and this miner in step."""
    settings, keys, network = basis.settings, basis.identity.keys, basis.file.network
    units = UnitWriter(network, keys, basis.super_node)
    batches = Batches(basis.inventory, basis.super_node, units, basis.preset)
    commits = CommitProver(
        network=network,
        key=keys,
        preset=basis.preset,
        batches=batches,
        super_node=basis.super_node,
        tally=basis.tally,
    )
    wish = MinerRegister(
        vrf=vrf.public_key(basis.identity.vrf_seed),
        payout=parse_address(basis.standing.payout),
        url=basis.standing.url,
        group=settings.group,
        owner=settings.owner,
    )
    ledger = LedgerLoop(
        super_node=basis.super_node,
        units=units,
        batches=batches,
        commits=commits,
        plotter=plotter,
        inventory=basis.inventory,
        standing=basis.standing,
        naming=SelfNaming(basis.super_node, keys, basis.standing),
        drain=basis.drain,
        sight=basis.sight,
        stopping=basis.stopping,
        recovery=Recovery(
            inventory=basis.inventory,
            batches=batches,
            takeover=Takeover(basis.inventory, basis.super_node, units, basis.preset),
            claims=ClaimsBack(basis.store, basis.super_node, address(keys.public)),
            super_node=basis.super_node,
            sight=basis.sight,
        ),
        wish=wish,
    )
    return ledger, commits


def _watch(basis: Basis, ledger: LedgerLoop, late: LateWatch) -> EpochWatch:
    async def begun(view: NetworkDocument) -> None:
        await basis.orders.forget(view.epoch)
        await basis.sight.remember(view.epoch)
        await ledger.epoch_begun()
        known = basis.standing.ledger
        registered = known.registered_epoch if known else None
        await basis.orders.decide(view.epoch, registered, basis.preset.order_epochs)

    return EpochWatch(
        preset=basis.preset,
        super_node=basis.super_node,
        prover=SpaceProver(basis.file.network, basis.identity, basis.inventory, late),
        begun=begun,
        tally=basis.tally,
        sight=basis.sight,
    )


def _upkeep(
    basis: Basis, plotter: Plotter, trash: Trash, late: LateWatch, sure: Callable[[], bool]
) -> Upkeep:
    given_up = GivenUp(store=basis.store, inventory=basis.inventory)

    def take_all_in(disks: list[Disk]) -> None:
        for disk in disks:
            given_up.tell(disk)
            tell_strays(disk)
            plotter.trust_again(disk)
        adopted = tidy(disks, basis.journal, basis.ledger_time(), basis.store.arriving)
        if adopted:
            _log.warning("adopted shards that the journal did not know", shards=len(adopted))
        for problem in take_in(basis.inventory, basis.identity.keys, disks, plotter.running):
            _log.error("plot is not used", problem=problem)
        plots = Counter(row.disk for row in basis.inventory.rows())
        for disk in disks:
            if reason := plotter.why_no_plot(disk, plots[disk.id]):
                _log.warning("no plot is made on a disk", path=str(disk.path), reason=reason)

    grace_seconds = float(basis.preset.grace_epochs * basis.preset.epoch_seconds)
    return Upkeep(
        rack=basis.rack,
        plotter=plotter,
        trash=trash,
        wanted=WantedShards(basis.store, basis.super_node, grace_seconds),
        events=DiskEvents(
            inventory=basis.inventory,
            index=basis.store.index,
            standing=basis.standing,
            preset=basis.preset,
        ),
        clock=basis.clock,
        late=late,
        take_in=take_all_in,
        doubts=PlotDoubts(basis.inventory, basis.store.reader.outboards),
        sight=basis.sight,
        stopping=basis.stopping,
        sure=sure,
    )
