"""One rule per kind of unit: where a body meets the state."""

from cybervein_protocol.encoding import Record
from cybervein_protocol.ledger import (
    bodies,
    deals,
    epochs,
    mining,
    results,
    shards,
    transfers,
    verdicts,
)
from cybervein_protocol.ledger.run import Run


def execute(run: Run, body: Record) -> None:  # noqa: C901, PLR0912 -- one line per kind
    """Apply a body to the run's state, or raise a CyberVeinError that makes the unit void."""
    match body:
        case bodies.Transfer():
            transfers.transfer(run, body)
        case bodies.MinerRegister():
            mining.register(run, body)
        case bodies.MinerUpdate():
            mining.update(run, body)
        case bodies.MinerDrain():
            mining.drain(run, body)
        case bodies.PlotBatch():
            mining.batch(run, body)
        case bodies.PlotRetire():
            mining.retire(run, body)
        case bodies.PlotVerdict():
            verdicts.verdict(run, body)
        case bodies.SpaceResult():
            results.space(run, body)
        case bodies.BandwidthResult():
            results.bandwidth(run, body)
        case bodies.AuditResult():
            results.audit(run, body)
        case bodies.DealOpen():
            deals.open_deal(run, body)
        case bodies.DealCommit():
            deals.commit(run, body)
        case bodies.DealRenew():
            deals.renew(run, body)
        case bodies.DealClose():
            deals.close(run, body)
        case bodies.ShardMoved():
            shards.moved(run, body)
        case bodies.ShardLost():
            shards.lost(run, body)
        case bodies.EpochClose():
            epochs.close(run, body)
        case _:
            raise NotImplementedError(f"no rule for {type(body).__name__}")
