"""One super node: its parts as one value, and how they start and stop."""

from dataclasses import dataclass

import aiohttp
from cybervein_protocol.api.super_node.backup import RestoredDocument
from cybervein_runtime.duty import Duties
from cybervein_runtime.http_client import SignedClient

from cybervein_supernode.backup.duty import BackupPlan, Backups
from cybervein_supernode.clock.epoch_clock import EpochClock
from cybervein_supernode.deals.grants import Placement
from cybervein_supernode.deals.verification import Deals
from cybervein_supernode.desk.desk import Desk
from cybervein_supernode.intake.commit_intake import CommitIntake
from cybervein_supernode.intake.space_intake import SpaceIntake
from cybervein_supernode.node.chronicle import Chronicle
from cybervein_supernode.node.epochs import OpenEpochs
from cybervein_supernode.node.home import SuperNodeHome
from cybervein_supernode.placement.roster import Roster
from cybervein_supernode.repair.departures import Departures
from cybervein_supernode.repair.mover import Mover
from cybervein_supernode.repair.repairer import Repairer


@dataclass(frozen=True, slots=True)
class Place:
    """Where a super node lives: its files, its public URL, and the PEM of a private authority.

    `plan` is where and when snapshots of its ledger are taken, `restored` of which one it is.
    """

    home: SuperNodeHome
    url: str
    ca: str = ""
    plan: BackupPlan | None = None
    restored: RestoredDocument | None = None


@dataclass(frozen=True, slots=True)
class SuperNodeParts:
    """Everything of one super node but its HTTP server; `assembly.assemble` makes it."""

    place: Place
    desk: Desk
    chronicle: Chronicle
    clock: EpochClock
    epochs: OpenEpochs
    http: SignedClient
    session: aiohttp.ClientSession | None
    roster: Roster
    placement: Placement
    deals: Deals
    space: SpaceIntake
    commits: CommitIntake
    departures: Departures
    mover: Mover
    repairer: Repairer
    backups: Backups | None
    duties: Duties

    def start(self) -> None:
        """Start every duty."""
        self.duties.start()

    async def stop(self) -> None:
        """End duties and streams, finish the block in progress, close files."""
        self.desk.hub.stop()
        await self.duties.stop()
        await self.desk.engine.close()
        self.desk.judges.shutdown()
        self.desk.notebook.close()
        await self.http.close()
        if self.session is not None:
            await self.session.close()
