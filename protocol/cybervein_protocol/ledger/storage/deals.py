"""Deals: open, commit, renew, close, expire; and who is paid for what they hold.

The five steps: `deal.open` escrows; orders, uploads and receipts happen beside the ledger; a super
node challenges every shard and signs the verification; `deal.commit` carries all of it and starts
the clock. Held KiB are paid from the common escrow at each epoch's close, through the miners'
accumulators; a deal learns what it has cost when it, or one of its shards, ends.
"""

from collections.abc import Iterable
from typing import Literal

from msgspec.structs import replace

from cybervein_protocol.errors import ConflictError, ForbiddenError, FundsError, LimitError
from cybervein_protocol.ledger.accounts.fees import deal_escrow, size_kib, storage_fee
from cybervein_protocol.ledger.accounts.money import count, credit, debit
from cybervein_protocol.ledger.state.rows import (
    DEALS,
    DUES,
    SHARDS,
    DealRow,
    DueRow,
    MinerRow,
    ShardRow,
    due_id,
)
from cybervein_protocol.ledger.storage.bodies import DealClose, DealCommit, DealOpen, DealRenew
from cybervein_protocol.ledger.storage.placing import check_commit, place
from cybervein_protocol.ledger.storage.shards import cost, settle
from cybervein_protocol.ledger.units.events import DealEnded
from cybervein_protocol.ledger.units.run import Run, known
from cybervein_protocol.names import Veins
from cybervein_protocol.signing import address

DEAL_DUE = b"d"


def open_deal(run: Run, body: DealOpen) -> None:
    """Escrow a deal's fees. Raises LimitError, ConflictError (code) or FundsError."""
    _check_terms(run, body)
    debit(run.state, run.issuer, body.escrow)
    count(run.state, escrowed=body.escrow)
    row = DealRow(
        owner=run.issuer,
        state="open",
        size=body.size,
        segments=body.segments,
        k=body.k,
        n=body.n,
        epochs=body.epochs,
        escrow=body.escrow,
        spent=Veins(0),
        refunded=Veins(0),
        kib=0,
        lost=0,
        opened=run.epoch,
        committed=0,
        expires=run.epoch + run.preset.deal_open_epochs,
    )
    _keep(run, run.id, row)


def _check_terms(run: Run, body: DealOpen) -> None:
    preset = run.preset
    if body.segments > preset.deal_segments_max:
        raise LimitError(
            f"deal.open: {body.segments} segments, at most {preset.deal_segments_max}; "
            "split the file over deals"
        )
    _check_epochs(run, body.epochs, body.kind)
    if not 1 <= body.k <= body.n:
        raise ConflictError(f"deal.open: code {body.k}/{body.n}, expected 1 <= k <= n <= 255")
    least = deal_escrow(size_kib(body.size), body.epochs, preset)
    if body.escrow < least:
        raise FundsError(
            f"deal.open: escrow of {body.escrow} veins, {body.size} bytes over {body.epochs} "
            f"epochs need {least}; escrow more"
        )


def _check_epochs(run: Run, epochs: int, what: str) -> None:
    if epochs > run.preset.deal_epochs_max:
        raise LimitError(
            f"{what}: {epochs} epochs, at most {run.preset.deal_epochs_max}; renew it later"
        )


def _keep(run: Run, identity: bytes, row: DealRow) -> None:
    """Store a deal and the mark of its end."""
    run.state.put(DEALS, identity, row)
    run.state.put(DUES, due_id(row.expires, DEAL_DUE, identity), DueRow())


def _unmark(run: Run, identity: bytes, row: DealRow) -> None:
    run.state.delete(DUES, due_id(row.expires, DEAL_DUE, identity))


def _own(run: Run, row: DealRow, identity: bytes) -> None:
    if row.owner != run.issuer:
        raise ForbiddenError(f"deal {identity.hex()[:16]}: belongs to {address(row.owner)}")


def _expect(row: DealRow, identity: bytes, state: str) -> None:
    if row.state != state:
        raise ConflictError(f"deal {identity.hex()[:16]}: is {row.state}, expected {state}")


def commit(run: Run, body: DealCommit) -> None:
    """Start a deal's clock with its shards in place.

    Raises UnknownError, ForbiddenError, ConflictError, SignatureError, LimitError or FundsError.
    """
    identity, row = known(run.state, DEALS, body.deal, "deal")
    _own(run, row, identity)
    _expect(row, identity, "open")
    kib = check_commit(run, row, body)
    needed = deal_escrow(kib, row.epochs, run.preset)
    if row.escrow < needed:
        raise FundsError(
            f"deal.commit: escrow of {row.escrow} veins, {kib} KiB over {row.epochs} epochs need "
            f"{needed}; open a deal with more"
        )
    ingress = place(run, identity, body.segments)
    _unmark(run, identity, row)
    active = replace(
        row,
        state="active",
        kib=kib,
        segments=len(body.segments),
        spent=ingress,
        committed=run.epoch,
        expires=run.epoch + row.epochs,
    )
    _keep(run, identity, active)


def renew(run: Run, body: DealRenew) -> None:
    """More epochs for more escrow. Raises as commit."""
    identity, row = known(run.state, DEALS, body.deal, "deal")
    _own(run, row, identity)
    _expect(row, identity, "active")
    _check_epochs(run, row.expires - run.epoch + body.epochs, body.kind)
    needed = storage_fee(row.kib, body.epochs, run.preset)
    if body.escrow < needed:
        raise FundsError(
            f"deal.renew: escrow of {body.escrow} veins, {row.kib} KiB over {body.epochs} epochs "
            f"need {needed}; escrow more"
        )
    debit(run.state, run.issuer, body.escrow)
    count(run.state, escrowed=body.escrow)
    _unmark(run, identity, row)
    longer = replace(
        row,
        epochs=row.epochs + body.epochs,
        escrow=row.escrow + body.escrow,
        expires=row.expires + body.epochs,
    )
    _keep(run, identity, longer)


def close(run: Run, body: DealClose) -> None:
    """End a deal now. Raises UnknownError, ForbiddenError or ConflictError (ended already)."""
    identity, row = known(run.state, DEALS, body.deal, "deal")
    _own(run, row, identity)
    if row.state == "ended":
        raise ConflictError(f"deal {identity.hex()[:16]}: has ended already")
    _unmark(run, identity, row)
    end(run, identity, row, "closed")


def refund(row: DealRow, held: Iterable[tuple[ShardRow, MinerRow]]) -> Veins:
    """Veins that come back if the deal, whose shards lie at these miners, ends now (as `end` does).

    A deal that has ended gave back its rest then.
    """
    if row.state == "ended":
        return Veins(0)
    return Veins(row.escrow - row.spent - sum(cost(shard, miner) for shard, miner in held))


def end(
    run: Run, identity: bytes, row: DealRow, reason: Literal["closed", "expired", "unclaimed"]
) -> None:
    """Settle every shard and give the rest of the escrow back."""
    spent = row.spent
    for key, shard in run.state.scan(SHARDS, identity):
        spent = Veins(spent + settle(run, shard))
        run.state.delete(SHARDS, key)
    refund = Veins(row.escrow - spent)
    count(run.state, escrowed=-refund)
    credit(run.state, row.owner, refund)
    ended = replace(row, state="ended", spent=spent, refunded=refund, kib=0)
    run.state.put(DEALS, identity, ended)
    run.events.append(
        DealEnded(deal=identity, owner=row.owner, reason=reason, spent=spent, refunded=refund)
    )
