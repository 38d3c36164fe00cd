"""Miners and their plots: registration, batches under bond, verdicts, retirement.

A batch is `pending` until a super node has judged its commit proofs; passed, its plots count from
the next beacon on. The ledger keys plots by mu, so that one plot cannot be live twice.
"""

from msgspec.structs import replace

from cybervein_protocol.errors import ConflictError, ForbiddenError, LimitError, UnknownError
from cybervein_protocol.ledger.bodies import (
    NO_ANSWER,
    MinerRegister,
    MinerUpdate,
    PlotBatch,
    PlotRetire,
    PlotVerdict,
)
from cybervein_protocol.ledger.bonds import bond_due, burn, free
from cybervein_protocol.ledger.events import BatchJudged
from cybervein_protocol.ledger.money import count, debit
from cybervein_protocol.ledger.rows import (
    BATCHES,
    DUES,
    MINERS,
    PLOTS,
    BatchRow,
    DueRow,
    MinerRow,
    PlotRow,
    due_id,
)
from cybervein_protocol.ledger.run import Run, known, known_miner
from cybervein_protocol.signing import address
from cybervein_protocol.space.seed import plot_seed

BATCH_DUE = b"b"


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


def batch(run: Run, body: PlotBatch) -> None:
    """New plots. Raises LimitError, ConflictError (a plot that is live), FundsError."""
    row = known_miner(run.state, run.issuer)
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
    run.state.put(DUES, _deadline(entry, run.id, run), DueRow())


def _deadline(entry: BatchRow, identity: bytes, run: Run) -> bytes:
    """Id of the mark at which an unanswered batch fails."""
    epoch = entry.registered + 1 + run.preset.commit_deadline_epochs
    return due_id(epoch, BATCH_DUE, identity)


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


def seed_of(run: Run, miner: bytes, index: int) -> bytes:
    """The mu of a miner's plot in this network's shape."""
    return plot_seed(miner, index, run.preset.plot_rows_log2, run.preset.plot_layers)


def _pay_bond(run: Run, row: MinerRow, amount: int) -> MinerRow:
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
    entry = _batch_row(run, plot.batch)
    if entry.state != "active":
        raise ConflictError(
            f"plot {mu.hex()[:16]}: its batch waits for a verdict; retire it afterwards"
        )
    run.state.delete(PLOTS, mu)
    run.state.put(BATCHES, plot.batch, replace(entry, live=entry.live - 1))
    run.state.put(MINERS, run.issuer, _without(known_miner(run.state, run.issuer), entry, 1, run))


def _batch_row(run: Run, identity: bytes) -> BatchRow:
    row = run.state.get(BATCHES, identity)
    if row is None:
        raise UnknownError(f"batch {identity.hex()[:16]}: not known here; check the CID")
    return row


def _without(row: MinerRow, entry: BatchRow, plots: int, run: Run) -> MinerRow:
    """The miner with `plots` of a batch less, in the state they were in."""
    if entry.state == "pending":
        return replace(row, plots_pending=row.plots_pending - plots)
    if entry.counts_from > run.epoch:
        return replace(row, plots_passed=row.plots_passed - plots)
    return replace(row, plots_active=row.plots_active - plots)


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
    run.state.delete(DUES, _deadline(entry, identity, run))
    active = replace(entry, state="active", counts_from=run.epoch + 1)
    run.state.put(BATCHES, identity, active)
    run.events.append(
        BatchJudged(batch=identity, miner=entry.miner, state="active", reason="", burnt=0)
    )


def void_batch(run: Run, identity: bytes, entry: BatchRow, reason: str) -> None:
    """A batch's plots are gone, and their bond unless nobody answered. Raises ConflictError."""
    if entry.state == "void":
        raise ConflictError(f"batch {identity.hex()[:16]}: is void already")
    row = _without(known_miner(run.state, entry.miner), entry, entry.live, run)
    burnt = 0
    if reason == NO_ANSWER:
        row = free(run.state, row, run.preset)
    else:
        row, burnt = burn(run.state, row, entry.live * run.preset.bond_per_plot_veins)
    run.state.put(MINERS, entry.miner, replace(row, penalties=row.penalties + burnt))
    _drop_plots(run, identity, entry)
    run.state.delete(DUES, _deadline(entry, identity, run))
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
