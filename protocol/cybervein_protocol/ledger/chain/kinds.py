"""The kinds of units: a row for each says its body, its rule and who may issue it.

A new kind is a row here, a `Body` and a rule in the room that it belongs to, and a test of each.
Everything else (decoding, dispatch, who issues, what is free) follows from this table.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final

from cybervein_protocol.ledger.accounts import transfers
from cybervein_protocol.ledger.epochs import closing
from cybervein_protocol.ledger.mining import bodies as mining
from cybervein_protocol.ledger.mining import measurements, miners, results, verdicts
from cybervein_protocol.ledger.storage import bodies as storage
from cybervein_protocol.ledger.storage import deals, shards
from cybervein_protocol.ledger.units.body import Body
from cybervein_protocol.ledger.units.run import Run


class Issuer(Enum):
    """Who may issue a kind of unit, and what it costs."""

    ANYONE = auto()
    """Pays a fee for its size."""
    MINER = auto()
    """May carry fee 0, `Preset.miner_units_per_epoch` of them per issuer and epoch."""
    SUPER_NODE = auto()
    """Of the genesis alone; no fee."""


Rule = Callable[[Run, Any], None]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of unit: what it says, what it does to the state, who issues it."""

    body: type[Body]
    rule: Rule
    issuer: Issuer

    @property
    def name(self) -> str:
        """What units call it, such as `deal.open`."""
        return self.body.kind


_ROWS: Final = (
    Kind(transfers.Transfer, transfers.transfer, Issuer.ANYONE),
    Kind(mining.MinerRegister, miners.register, Issuer.MINER),
    Kind(mining.MinerUpdate, miners.update, Issuer.MINER),
    Kind(mining.MinerDrain, miners.drain, Issuer.MINER),
    Kind(mining.PlotBatch, miners.batch, Issuer.MINER),
    Kind(mining.PlotRetire, miners.retire, Issuer.MINER),
    Kind(mining.PlotVerdict, verdicts.verdict, Issuer.SUPER_NODE),
    Kind(measurements.SpaceResult, results.space, Issuer.SUPER_NODE),
    Kind(measurements.BandwidthResult, results.bandwidth, Issuer.SUPER_NODE),
    Kind(measurements.AuditResult, results.audit, Issuer.SUPER_NODE),
    Kind(storage.DealOpen, deals.open_deal, Issuer.ANYONE),
    Kind(storage.DealCommit, deals.commit, Issuer.ANYONE),
    Kind(storage.DealRenew, deals.renew, Issuer.ANYONE),
    Kind(storage.DealClose, deals.close, Issuer.ANYONE),
    Kind(storage.ShardMoved, shards.moved, Issuer.SUPER_NODE),
    Kind(storage.ShardLost, shards.lost, Issuer.SUPER_NODE),
    Kind(closing.EpochClose, closing.close, Issuer.SUPER_NODE),
)

KINDS: Final = {kind.name: kind for kind in _ROWS}


def issued_by(issuer: Issuer) -> frozenset[str]:
    """Names of the kinds that only such an issuer writes."""
    return frozenset(kind.name for kind in _ROWS if kind.issuer is issuer)


def execute(run: Run, body: Body) -> None:
    """Apply a body to the run's state, or raise a CyberVeinError that makes the unit void."""
    KINDS[body.kind].rule(run, body)
