"""The parts of one super node, each made once, in one place; and its list of duties."""

from cybervein_protocol.ledger.units.genesis import Genesis
from cybervein_runtime.duty import Duties, Duty
from cybervein_runtime.http_client import SignedClient
from cybervein_runtime.identity import Identity

from cybervein_supernode.audit.auditor import Auditor
from cybervein_supernode.backup.duty import Backups
from cybervein_supernode.bandwidth.meter import Meter
from cybervein_supernode.chain.store import Chain
from cybervein_supernode.chain.view import LedgerView
from cybervein_supernode.clock.driver import EpochDriver, EpochDuty
from cybervein_supernode.clock.epoch_clock import EpochClock
from cybervein_supernode.clock.time_source import SystemTime, TimeSource
from cybervein_supernode.deals.grants import Placement
from cybervein_supernode.deals.verification import Deals
from cybervein_supernode.desk.desk import Desk
from cybervein_supernode.desk.events import EventHub
from cybervein_supernode.desk.notebook import Notebook
from cybervein_supernode.desk.tally import DutyTally
from cybervein_supernode.engine.bench import Bench
from cybervein_supernode.engine.solo import SoloEngine
from cybervein_supernode.intake.commit_intake import CommitIntake
from cybervein_supernode.intake.space_intake import SpaceIntake, results_issued
from cybervein_supernode.node.chronicle import Chronicle
from cybervein_supernode.node.epochs import OpenEpochs
from cybervein_supernode.node.home import SuperNodeHome
from cybervein_supernode.node.node import Place, SuperNodeParts
from cybervein_supernode.peers.miner_client import MinerPeer
from cybervein_supernode.peers.public_only import public_session
from cybervein_supernode.placement.roster import Roster
from cybervein_supernode.repair.departures import Departures
from cybervein_supernode.repair.mover import Mover
from cybervein_supernode.repair.rebuild import Rebuilder
from cybervein_supernode.repair.repairer import Repairer
from cybervein_supernode.repair.watch import SilenceWatch
from cybervein_supernode.verify.evidence import EvidenceStore


def assemble(
    place: Place, identity: Identity, genesis: Genesis, time: TimeSource | None = None
) -> SuperNodeParts:
    """Open what is on disk and make every part; must be called inside a running loop."""
    desk, chronicle = _desk(place.home, identity, genesis, time or SystemTime())
    session = None if genesis.preset.declared_domains else public_session()
    http = SignedClient(identity.keys, session)
    miners = MinerPeer(desk.view.network, identity.keys, http)
    epochs = OpenEpochs(desk)
    clock = _clock(desk, epochs.open_epoch())
    space = SpaceIntake(desk, clock.in_time)
    roster = Roster(desk, miners, chronicle.miners_changed)
    rebuilder = Rebuilder(desk, roster, miners)
    departures = Departures(desk)
    mover = Mover(desk, departures, rebuilder)
    repairer = Repairer(desk, SilenceWatch(desk), rebuilder)
    backups = _backups(place, genesis, desk)
    driver = EpochDriver(clock, epochs, space.issue_results, _each_epoch(desk, miners))
    return SuperNodeParts(
        place=place,
        desk=desk,
        chronicle=chronicle,
        clock=clock,
        epochs=epochs,
        http=http,
        session=session,
        roster=roster,
        placement=Placement(desk, roster, miners),
        deals=Deals(desk, miners),
        space=space,
        commits=CommitIntake(desk),
        departures=departures,
        mover=mover,
        repairer=repairer,
        backups=backups,
        duties=Duties((*_duties(desk, roster, driver, repairer, mover), *_snapshots(backups))),
    )


def _clock(desk: Desk, epoch: int) -> EpochClock:
    """Set to the open epoch, where it was when the process before this one ended."""
    issued = results_issued(desk.view, epoch)
    return EpochClock(desk.preset, desk.time, epoch, results_issued=issued)


def _each_epoch(desk: Desk, miners: MinerPeer) -> tuple[EpochDuty, ...]:
    """What begins and ends with each epoch."""
    return (
        EpochDuty("audit", Auditor(desk, miners).run),
        EpochDuty("bandwidth", Meter(desk, miners).run),
    )


def _duties(
    desk: Desk, roster: Roster, driver: EpochDriver, repairer: Repairer, mover: Mover
) -> tuple[Duty, ...]:
    """What runs for as long as the process does."""
    return (
        Duty("engine", desk.engine.run, desk.engine.figures),
        Duty("roster", roster.run),
        Duty("epochs", driver.run),
        Duty("repair", repairer.run, repairer.figures),
        Duty("moves", mover.run, mover.figures),
    )


def _backups(place: Place, genesis: Genesis, desk: Desk) -> Backups | None:
    """Snapshots elsewhere, where they are planned."""
    if place.plan is None:
        return None
    return Backups(place.plan, place.home.files(genesis), desk.time)


def _snapshots(backups: Backups | None) -> tuple[Duty, ...]:
    return () if backups is None else (Duty("backup", backups.run, backups.figures),)


def _desk(
    home: SuperNodeHome, identity: Identity, genesis: Genesis, time: TimeSource
) -> tuple[Desk, Chronicle]:
    """What every duty is given; the engine tells the chronicle of its blocks."""
    chain = Chain(home.ledger, genesis)
    hub, notebook, tally = EventHub(time.wall), Notebook(home.notebook), DutyTally()
    chronicle = Chronicle(chain.machine.app_hash, hub, notebook, tally)
    desk = Desk(
        identity=identity,
        view=LedgerView(home.ledger, genesis),
        engine=SoloEngine(Bench(chain, identity.keys, genesis.preset), chronicle.note),
        evidence=EvidenceStore(home.evidence, genesis.preset.evidence_epochs),
        notebook=notebook,
        hub=hub,
        tally=tally,
        time=time,
    )
    return desk, chronicle
