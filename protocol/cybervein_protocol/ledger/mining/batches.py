"""Batches of plots: what registration, retirement and verdicts share."""

from typing import Final

from msgspec.structs import replace

from cybervein_protocol.errors import UnknownError
from cybervein_protocol.ledger.state.rows import BATCHES, BatchRow, MinerRow, due_id
from cybervein_protocol.ledger.units.run import Run
from cybervein_protocol.space.seed import plot_seed

BATCH_DUE: Final = b"b"


def deadline(entry: BatchRow, identity: bytes, run: Run) -> bytes:
    """Id of the mark at which an unanswered batch fails."""
    epoch = entry.registered + 1 + run.preset.commit_deadline_epochs
    return due_id(epoch, BATCH_DUE, identity)


def seed_of(run: Run, miner: bytes, index: int) -> bytes:
    """The mu of a miner's plot in this network's shape."""
    return plot_seed(miner, index, run.preset.plot_rows_log2, run.preset.plot_layers)


def batch_row(run: Run, identity: bytes) -> BatchRow:
    """The batch of a live plot. Raises UnknownError."""
    row = run.state.get(BATCHES, identity)
    if row is None:
        raise UnknownError(f"batch {identity.hex()[:16]}: not known here; check the CID")
    return row


def without(row: MinerRow, entry: BatchRow, plots: int, run: Run) -> MinerRow:
    """The miner with `plots` of a batch less, in the state they were in."""
    if entry.state == "pending":
        return replace(row, plots_pending=row.plots_pending - plots)
    if entry.counts_from > run.epoch:
        return replace(row, plots_passed=row.plots_passed - plots)
    return replace(row, plots_active=row.plots_active - plots)
