"""Verdicts: a batch passed its commit audit, failed it, or was never answered."""

from msgspec.structs import replace

from cybervein_protocol.errors import ConflictError
from cybervein_protocol.ledger.mining.batches import deadline, seed_of, without
from cybervein_protocol.ledger.mining.bodies import NO_ANSWER, PlotVerdict
from cybervein_protocol.ledger.mining.bonds import burn, free
from cybervein_protocol.ledger.state.rows import BATCHES, DUES, MINERS, PLOTS, BatchRow
from cybervein_protocol.ledger.units.events import BatchJudged
from cybervein_protocol.ledger.units.run import Run, known, known_miner
from cybervein_protocol.names import Veins


def verdict(run: Run, body: PlotVerdict) -> None:
    """A batch passed, or is void. Raises UnknownError or ConflictError."""
    run.check_epoch(body.epoch)
    identity, entry = known(run.state, BATCHES, body.batch, "batch")
    if body.passed:
        _pass(run, identity, entry)
    else:
        void_batch(run, identity, entry, body.reason)


def _pass(run: Run, identity: bytes, entry: BatchRow) -> None:
    if entry.state != "pending":
        raise ConflictError(f"batch {identity.hex()[:16]}: is {entry.state}, expected pending")
    row = known_miner(run.state, entry.miner)
    row = replace(
        row,
        plots_pending=row.plots_pending - entry.live,
        plots_passed=row.plots_passed + entry.live,
    )
    run.state.put(MINERS, entry.miner, row)
    run.state.delete(DUES, deadline(entry, identity, run))
    active = replace(entry, state="active", counts_from=run.epoch + 1)
    run.state.put(BATCHES, identity, active)
    run.events.append(
        BatchJudged(batch=identity, miner=entry.miner, state="active", reason="", burnt=Veins(0))
    )


def void_batch(run: Run, identity: bytes, entry: BatchRow, reason: str) -> None:
    """A batch's plots are gone, and their bond unless nobody answered. Raises ConflictError."""
    if entry.state == "void":
        raise ConflictError(f"batch {identity.hex()[:16]}: is void already")
    row = without(known_miner(run.state, entry.miner), entry, entry.live, run)
    burnt = Veins(0)
    if reason == NO_ANSWER:
        row = free(run.state, row, run.preset)
    else:
        row, burnt = burn(run.state, row, Veins(entry.live * run.preset.bond_per_plot_veins))
    run.state.put(MINERS, entry.miner, replace(row, penalties=row.penalties + burnt))
    _drop_plots(run, identity, entry)
    run.state.delete(DUES, deadline(entry, identity, run))
    run.state.put(BATCHES, identity, replace(entry, state="void", live=0, reason=reason))
    run.events.append(
        BatchJudged(batch=identity, miner=entry.miner, state="void", reason=reason, burnt=burnt)
    )


def _drop_plots(run: Run, identity: bytes, entry: BatchRow) -> None:
    """Remove the plots that are still of this batch: a retired mu may live in a later one."""
    for index in entry.plots:
        mu = seed_of(run, entry.miner, index)
        plot = run.state.get(PLOTS, mu)
        if plot is not None and plot.batch == identity:
            run.state.delete(PLOTS, mu)
