"""Miners and their plots: registration, drain, batches under bond, retirement.

A batch is `pending` until a super node has judged its commit proofs (`verdicts`); passed, its plots
count from the next beacon on. The ledger keys plots by mu, so that one plot cannot be live twice.
"""

from msgspec import UNSET
from msgspec.structs import replace

from cybervein_protocol.errors import ConflictError, ForbiddenError, LimitError, UnknownError
from cybervein_protocol.ledger.accounts.money import count, debit
from cybervein_protocol.ledger.mining.batches import batch_row, deadline, seed_of, without
from cybervein_protocol.ledger.mining.bodies import (
    MinerDrain,
    MinerRegister,
    MinerUpdate,
    PlotBatch,
    PlotRetire,
)
from cybervein_protocol.ledger.mining.bonds import bond_due, free
from cybervein_protocol.ledger.state.rows import (
    BATCHES,
    DUES,
    MINERS,
    PLOTS,
    BatchRow,
    DueRow,
    MinerRow,
    PlotRow,
)
from cybervein_protocol.ledger.units.run import Run, known_miner
from cybervein_protocol.names import Veins
from cybervein_protocol.signing import address


def register(run: Run, body: MinerRegister) -> None:
    """A new miner. Raises ConflictError if the issuer is one."""
    if run.state.get(MINERS, run.issuer) is not None:
        raise ConflictError(f"miner {address(run.issuer)}: already registered; use miner.update")
    row = MinerRow(
        vrf=body.vrf,
        payout=body.payout,
        url=body.url,
        group=body.group,
        owner=body.owner,
        registered=run.epoch,
    )
    run.state.put(MINERS, run.issuer, row)


def update(run: Run, body: MinerUpdate) -> None:
    """A miner's new payout account and URL. Raises UnknownError."""
    row = known_miner(run.state, run.issuer)
    run.state.put(MINERS, run.issuer, replace(row, payout=body.payout, url=body.url))


def drain(run: Run, body: MinerDrain) -> None:
    """Begin or cancel a drain; a second time changes nothing. Raises UnknownError."""
    row = known_miner(run.state, run.issuer)
    run.state.put(MINERS, run.issuer, replace(row, draining=True if body.draining else UNSET))


def batch(run: Run, body: PlotBatch) -> None:
    """New plots. Raises LimitError, ConflictError (live already, or a drain), FundsError."""
    row = known_miner(run.state, run.issuer)
    if row.drains:
        raise ConflictError(f"plot.batch: miner {address(run.issuer)} drains; cancel that first")
    if len(body.plots) > run.preset.batch_plots_max:
        raise LimitError(
            f"plot.batch: {len(body.plots)} plots, at most {run.preset.batch_plots_max}; split it"
        )
    _enter_plots(run, body)
    row = replace(row, plots_pending=row.plots_pending + len(body.plots))
    run.state.put(MINERS, run.issuer, _pay_bond(run, row, body.bond))
    entry = BatchRow(
        miner=run.issuer,
        registered=run.epoch,
        plots=[plot.index for plot in body.plots],
        live=len(body.plots),
        state="pending",
        counts_from=0,
        reason="",
    )
    run.state.put(BATCHES, run.id, entry)
    run.state.put(DUES, deadline(entry, run.id, run), DueRow())


def _enter_plots(run: Run, body: PlotBatch) -> None:
    for plot in body.plots:
        mu = seed_of(run, run.issuer, plot.index)
        if run.state.get(PLOTS, mu) is not None:
            raise ConflictError(
                f"plot {plot.index} of {address(run.issuer)}: already live; retire it first"
            )
        entry = PlotRow(
            miner=run.issuer, batch=run.id, index=plot.index, kappa=plot.kappa, gamma=plot.gamma
        )
        run.state.put(PLOTS, mu, entry)


def _pay_bond(run: Run, row: MinerRow, amount: Veins) -> MinerRow:
    """The miner with `amount` more bonded; what is then due must be within the preset's limit."""
    due = bond_due(row, run.preset)
    due_max = run.preset.bond_due_plots_max * run.preset.bond_per_plot_veins
    if amount > due:
        raise ConflictError(f"plot.batch: bond of {amount} veins, only {due} are due; pay that")
    if due - amount > due_max:
        raise LimitError(
            f"plot.batch: {due - amount} veins of bond would stay due, at most {due_max}; "
            f"pay {due - due_max} now"
        )
    debit(run.state, run.issuer, amount)
    count(run.state, bonded=amount)
    return replace(row, bonded=row.bonded + amount)


def retire(run: Run, body: PlotRetire) -> None:
    """Plots stop counting at once. Raises UnknownError, ForbiddenError or ConflictError."""
    for mu in body.plots:
        _retire_plot(run, mu)
    row = known_miner(run.state, run.issuer)
    run.state.put(MINERS, run.issuer, free(run.state, row, run.preset))


def _retire_plot(run: Run, mu: bytes) -> None:
    plot = run.state.get(PLOTS, mu)
    if plot is None:
        raise UnknownError(f"plot {mu.hex()[:16]}: not live; nothing to retire")
    if plot.miner != run.issuer:
        raise ForbiddenError(f"plot {mu.hex()[:16]}: belongs to {address(plot.miner)}")
    entry = batch_row(run, plot.batch)
    if entry.state != "active":
        raise ConflictError(
            f"plot {mu.hex()[:16]}: its batch waits for a verdict; retire it afterwards"
        )
    run.state.delete(PLOTS, mu)
    run.state.put(BATCHES, plot.batch, replace(entry, live=entry.live - 1))
    run.state.put(MINERS, run.issuer, without(known_miner(run.state, run.issuer), entry, 1, run))
