"""What others meet of a miner: its status, its endpoints, and who may pass at the door."""

from cybervein_runtime.http_server import Authenticator

from cybervein_miner.api.acts import Control
from cybervein_miner.api.app import Border
from cybervein_miner.api.audits import Auditee
from cybervein_miner.api.door import Door
from cybervein_miner.api.shards import ShardEndpoint
from cybervein_miner.api.throttle import Throttle
from cybervein_miner.duty.keeping import Keeper
from cybervein_miner.leaving.disks import Leaving
from cybervein_miner.node.basis import Basis
from cybervein_miner.plot.plotter import Plotter
from cybervein_miner.prover.epochs import EpochWatch
from cybervein_miner.shard.trash import Trash
from cybervein_miner.status.board import StatusBoard
from cybervein_miner.status.disks import DiskBoard
from cybervein_miner.status.plots import PlotBoard
from cybervein_miner.status.vitals import Vitals


def status_board(
    basis: Basis, *, plotter: Plotter, leaving: Leaving, watch: EpochWatch, trash: Trash
) -> StatusBoard:
    """What `/v1/status` is made from."""
    disks = DiskBoard(
        inventory=basis.inventory,
        index=basis.store.index,
        leaving=leaving,
        plotter=plotter,
        trash=trash,
    )
    return StatusBoard(
        network=basis.file.network,
        miner=basis.identity.keys.public,
        disks=disks,
        plots=PlotBoard(inventory=basis.inventory, plotter=plotter),
        watch=watch,
        sight=basis.sight,
        clock=basis.clock,
        tally=basis.tally,
        drain=basis.drain,
        standing=basis.standing,
        orders=basis.orders,
        bandwidth_cap=basis.settings.bandwidth,
    )


def border(basis: Basis, control: Control, board: StatusBoard, keeper: Keeper) -> Border:
    """Every endpoint, behind one door."""
    keys, network = basis.identity.keys, basis.file
    throttle = Throttle(basis.settings.bandwidth)
    door = Door(
        network=network.network,
        miner=keys.public,
        super_nodes=frozenset(key for _, key in network.super_nodes),
        epoch=lambda: basis.sight.epoch,
        authenticator=Authenticator(basis.clock.now),
        closed=lambda: basis.drain.wanted,
        controller=basis.settings.control,
    )
    vitals = Vitals(
        rack=basis.rack,
        disks=board.disks,
        journal=basis.journal,
        ended=keeper.ended,
        sight=basis.sight,
        standing=basis.standing,
    )
    return Border(
        door=door,
        shards=ShardEndpoint(
            key=keys,
            door=door,
            store=basis.store,
            orders=basis.orders,
            tally=basis.tally,
            throttle=throttle,
        ),
        auditee=Auditee(network.network, keys, basis.store, basis.inventory, basis.tally),
        orders=basis.orders,
        throttle=throttle,
        control=control,
        status=board.document,
        probes=vitals.probes(),
    )
