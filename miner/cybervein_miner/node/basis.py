"""Keys, network and journal of a miner, and what rests on them alone: most parts need it."""

import secrets
from dataclasses import dataclass

from cybervein_protocol.presets import Preset
from cybervein_protocol.signing import address
from cybervein_protocol.space import PlotShape
from cybervein_runtime.belonging import belong
from cybervein_runtime.http_client import SignedClient
from cybervein_runtime.identity import Identity
from cybervein_runtime.network_file import NetworkFile, load_network

from cybervein_miner.chain.clock import NetworkClock
from cybervein_miner.chain.paid import PaidEpochs
from cybervein_miner.chain.reach import Reach
from cybervein_miner.chain.sight import LedgerTime, Sight
from cybervein_miner.chain.standing import Standing
from cybervein_miner.chain.super_node import MinersSuperNode
from cybervein_miner.chain.twin import Twin
from cybervein_miner.disk.limits import Limits
from cybervein_miner.disk.rack import Rack
from cybervein_miner.duty.upkeep import Stopping
from cybervein_miner.leaving.drain import Drain
from cybervein_miner.node.calling import called
from cybervein_miner.node.keys import identity_of
from cybervein_miner.node.payout import asked_payout
from cybervein_miner.node.settings import Settings
from cybervein_miner.plot.inventory import Inventory
from cybervein_miner.record.journal import Journal
from cybervein_miner.record.setting_aside import open_journal
from cybervein_miner.record.tally import Tally
from cybervein_miner.shard.orders import OrderBook
from cybervein_miner.shard.store import ShardStore


@dataclass(frozen=True, kw_only=True, eq=False)
class Basis:
    """What nearly every part is given."""

    settings: Settings
    file: NetworkFile
    identity: Identity
    preset: Preset
    journal: Journal
    clock: NetworkClock
    sight: Sight
    ledger_time: LedgerTime
    standing: Standing
    tally: Tally
    stopping: Stopping
    rack: Rack
    store: ShardStore
    orders: OrderBook
    inventory: Inventory
    drain: Drain
    http: SignedClient
    super_node: MinersSuperNode


def _units(journal: Journal) -> list[bytes]:
    """Units that the journal holds: those of plot batches."""
    return [raw for (raw,) in journal.read("SELECT unit FROM batch LIMIT 1")]


def _limits(settings: Settings, inventory: Inventory, store: ShardStore) -> Limits:
    """Of what is on a disk, plots and shards count. Raises MalformedError for a damaged file."""

    def used(disk: str) -> int:
        return inventory.bytes_on(disk) + store.index.bytes_on(disk)

    limits = Limits(settings.limits, used)
    limits.check()
    return limits


def lay_basis(settings: Settings, url: str) -> Basis:
    """Open what is there; `url` is where this miner listens."""
    file = load_network(settings.network)
    new = settings.identity is None and not settings.identity_file.exists()
    identity = identity_of(settings)
    preset, keys = file.genesis.preset, identity.keys
    journal = open_journal(settings.journal_file, rebuild=settings.rebuild_journal)
    clock, orders = NetworkClock(), OrderBook(journal)  # it sees a new journal by its emptiness
    belong(settings.data, file.network, "miner's journal", lambda: _units(journal))
    super_node, payout = settings.super_node or file.url, asked_payout(settings, keys.public)
    standing = Standing(
        reach=Reach(clock),
        paid=PaidEpochs(preset),
        url=settings.url or called(url, super_node),
        payout=address(payout or keys.public),
        payout_asked=payout is not None,
        group=settings.group,
        owner=settings.owner,
        twin=Twin(secrets.token_hex(4)),
    )
    rack, sight = Rack(keys, journal, settings.floor, role="miner"), Sight(journal)
    if not new:
        rack.unaccounted.ask()
    ledger_time = LedgerTime(sight, preset.epoch_seconds)
    shape = PlotShape(preset.plot_rows_log2, preset.plot_layers)
    inventory = Inventory(rack, journal, keys.public, shape)
    http, tally = SignedClient(trust=file.trust), Tally()
    store = ShardStore(rack, journal, ledger_time, tally)
    rack.limit(_limits(settings, inventory, store))
    return Basis(
        settings=settings,
        file=file,
        identity=identity,
        preset=preset,
        journal=journal,
        clock=clock,
        sight=sight,
        ledger_time=ledger_time,
        standing=standing,
        tally=tally,
        stopping=Stopping(),
        rack=rack,
        store=store,
        orders=orders,
        inventory=inventory,
        drain=Drain(journal, standing, sight),
        http=http,
        super_node=MinersSuperNode(super_node, http, clock, keys.public),
    )
