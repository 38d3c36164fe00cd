"""How this miner stands with the ledger, as it last heard; the ledger's loop writes it."""

from dataclasses import dataclass, field
from typing import Final

import structlog
from cybervein_protocol.api.super_node.miners import FullMinerDocument

from cybervein_miner.chain.paid import PaidEpochs
from cybervein_miner.chain.reach import Reach
from cybervein_miner.chain.twin import OLDER, Twin

LOOK_SECONDS: Final = 60.0
"""While all is well: the super node answers a thousand miners."""
_UPDATED: Final = ("url", "payout")
_FIXED: Final = ("group", "owner")
_log = structlog.get_logger()


@dataclass(slots=True)
class Standing:
    """`url` to `owner` are what this miner wants, `ledger` is what the ledger has of it.

    `payout` is the ledger's where none was asked for. `problem` is why the last round failed;
    counts are None until the ledger was heard.
    `unknown`: the ledger was asked and does not know this miner.
    """

    reach: Reach
    paid: PaidEpochs
    url: str = ""
    payout: str = ""
    payout_asked: bool = True
    group: str = ""
    owner: str = ""
    ledger: FullMinerDocument | None = None
    unknown: bool = False
    problem: str = ""
    draining: bool = False
    held_shards: int | None = None
    plots_live: int | None = None
    remaining: int | None = None
    promised: int | None = None
    blocked_by: str = ""
    last_proof_epoch: int | None = None
    twin: Twin = field(default_factory=Twin)
    _heard: float | None = None
    _told: list[str] = field(default_factory=list)

    @property
    def registered(self) -> bool:
        """Whether the ledger knows this miner."""
        return self.ledger is not None

    def see(self, view: FullMinerDocument | None) -> None:
        """Take over what the ledger says of this miner."""
        before, self.ledger, self.unknown = self.ledger, view, view is None
        self.problem = ""
        self._heard = self.reach.clock.monotonic()
        if view is None:
            self.draining, self.blocked_by = False, ""
            self.held_shards = self.plots_live = self.remaining = self.promised = 0
            return
        if not self.payout_asked:
            self.payout = view.payout
        self.draining, self.held_shards = view.draining, view.held_shards
        self.plots_live = view.plots
        self.remaining, self.blocked_by = view.drain.remaining, view.drain.blocked_by
        self.promised = view.drain.promised or 0
        self.last_proof_epoch = view.last_proof_epoch
        self._tell_change(before, view)
        self.reach.see(view)
        wanted, there = f"{self.url}, paid to {self.payout}", f"{view.url}, paid to {view.payout}"
        self.twin.see(wanted, there, self._heard)
        self._meet(view)
        self._tell()

    def _meet(self, view: FullMinerDocument) -> None:
        """Who else runs, as far as it was seen since this process began."""
        if not isinstance(view.instance, str) or not isinstance(view.instances, list):
            return  # a super node of 0.2.0 knows no names
        leads = (view.instance or OLDER) if self.reach.reached else ""
        named = {each.name for each in view.instances if each.heard >= self.reach.since()}
        self.twin.meet(view.url, leads, named)

    @property
    def misled(self) -> bool:
        """Whether the URL leads to another process, or to nobody: nobody sees this one."""
        knows = self.ledger is not None and isinstance(self.ledger.instance, str)
        return knows and self.reach.reached is not None and self.twin.leads != self.twin.instance

    def due(self) -> bool:
        """Whether the ledger is to be asked again, though nothing else waits for it."""
        if self._heard is None or self.differs(*_UPDATED) or self.reach.reached is not True:
            return True
        return self.reach.clock.monotonic() - self._heard > LOOK_SECONDS

    def differs(self, *names: str) -> list[str]:
        """Which of these fields the ledger has otherwise than this miner wants."""
        if self.ledger is None:
            return []
        return [name for name in names if getattr(self, name) != getattr(self.ledger, name)]

    def problems(self) -> list[str]:
        """What is wrong between miner and ledger, one line each."""
        waits = [
            f"{name}: the ledger still has {getattr(self.ledger, name)}, this miner wants "
            f"{getattr(self, name)}; it is told in the next round"
            for name in self.differs(*_UPDATED)
        ]
        return [*filter(None, [self.problem, self.twin.problem(), self.reach.problem()]), *waits]

    @staticmethod
    def _tell_change(before: FullMinerDocument | None, view: FullMinerDocument) -> None:
        """What the ledger has at first, and each time that it has something else."""
        facts = {"url": view.url, "payout": view.payout}
        if before is None:
            _log.info("the ledger knows this miner", since_epoch=view.registered_epoch, **facts)
        elif (before.url, before.payout) != (view.url, view.payout):
            _log.info("the ledger has a new address or payout", **facts)

    def _tell(self) -> None:
        """What no unit changes is said once: who wants it otherwise needs a new identity."""
        fixed = self.differs(*_FIXED)
        if fixed != self._told:
            self._told = fixed
            _log.warning(
                "the ledger keeps what the registration said; another needs a new identity",
                wanted={name: getattr(self, name) for name in fixed},
                ledger={name: getattr(self.ledger, name) for name in fixed},
            )
