"""What super nodes measured: space, bandwidth, possession.

These enter the state only as units signed by a super node; the proofs behind them stay beside the
ledger under `evidence`. A miner is punished for `wrong` alone, once an epoch; a verifier's own
error leaves its standing as it was.
"""

from msgspec.structs import replace

from cybervein_protocol.errors import ConflictError, MalformedError
from cybervein_protocol.ledger.mining.bonds import burn
from cybervein_protocol.ledger.mining.contribution import average_bandwidth
from cybervein_protocol.ledger.mining.measurements import (
    AuditEntry,
    AuditResult,
    BandwidthResult,
    SpaceEntry,
    SpaceResult,
)
from cybervein_protocol.ledger.state.rows import MINERS, MinerRow
from cybervein_protocol.ledger.units.events import MinerPenalised
from cybervein_protocol.ledger.units.run import Run, known_miner
from cybervein_protocol.signing import address


def space(run: Run, body: SpaceResult) -> None:
    """Accepted space proofs, at most one per miner and epoch."""
    run.check_epoch(body.epoch)
    for entry in body.results:
        row = known_miner(run.state, entry.miner)
        _check_once(run, row.space_epoch, entry.miner, "space proof")
        _check_estimate(entry, run.preset.answers_max)
        row = replace(
            row, space_now=entry.estimate, space_epoch=run.epoch + 1, proofs=row.proofs + 1
        )
        run.state.put(MINERS, entry.miner, row)


def _check_once(run: Run, mark: int, miner: bytes, what: str) -> None:
    if mark == run.epoch + 1:
        raise ConflictError(f"{what} of {address(miner)}: epoch {run.epoch} has one already")


def _check_estimate(entry: SpaceEntry, answers_max: int) -> None:
    """What can be said without the answers: fewer than m of them are the estimate themselves."""
    if entry.sent > answers_max:
        raise MalformedError(
            f"space proof of {address(entry.miner)}: {entry.sent} answers, at most {answers_max}"
        )
    if entry.sent < answers_max and entry.estimate != entry.sent:
        raise MalformedError(
            f"space proof of {address(entry.miner)}: estimate {entry.estimate} of {entry.sent} "
            f"answers, expected {entry.sent}"
        )


def bandwidth(run: Run, body: BandwidthResult) -> None:
    """Bandwidth measurements, at most one per miner and epoch."""
    run.check_epoch(body.epoch)
    for entry in body.results:
        row = known_miner(run.state, entry.miner)
        _check_once(run, row.bandwidth_epoch, entry.miner, "bandwidth")
        average = average_bandwidth(row.bandwidth, entry.bytes_per_second, run.preset)
        row = replace(row, bandwidth=average, bandwidth_epoch=run.epoch + 1)
        run.state.put(MINERS, entry.miner, row)


def audit(run: Run, body: AuditResult) -> None:
    """Possession audits; the latest of an epoch decides whether held shards are paid."""
    run.check_epoch(body.epoch)
    for entry in body.results:
        _check_audit(entry)
        row = _standing(run, known_miner(run.state, entry.miner), entry)
        if entry.outcome == "wrong":
            row = _penalise(run, row, entry.miner)
        run.state.put(MINERS, entry.miner, row)


def _check_audit(entry: AuditEntry) -> None:
    """`passed` has all good, `wrong` has not, and both are signed by the miner."""
    answered = entry.outcome in {"passed", "wrong"}
    all_good = entry.good == entry.challenged
    if entry.good > entry.challenged or (answered and all_good != (entry.outcome == "passed")):
        raise MalformedError(
            f"audit of {address(entry.miner)}: {entry.outcome} with {entry.good} good of "
            f"{entry.challenged} challenged"
        )
    if answered and len(entry.miner_sig) != 64:  # noqa: PLR2004 -- bytes of a signature
        raise MalformedError(
            f"audit of {address(entry.miner)}: {entry.outcome} without the miner's signature"
        )


def _standing(run: Run, row: MinerRow, entry: AuditEntry) -> MinerRow:
    """The miner's record with this audit. `verifier` keeps the last real outcome standing."""
    if entry.outcome == "verifier":
        return replace(row, audit_epoch=run.epoch + 1, audits_verifier=row.audits_verifier + 1)
    answered = entry.outcome != "timeout"
    return replace(
        row,
        audit=entry.outcome,
        audit_epoch=run.epoch + 1,
        audits_passed=row.audits_passed + (entry.outcome == "passed"),
        audits_wrong=row.audits_wrong + (entry.outcome == "wrong"),
        audits_timeout=row.audits_timeout + (entry.outcome == "timeout"),
        chunks_challenged=row.chunks_challenged + answered * entry.challenged,
        chunks_good=row.chunks_good + answered * entry.good,
    )


def _penalise(run: Run, row: MinerRow, miner: bytes) -> MinerRow:
    """The miner after the penalty for wrong bytes: from its bond, once an epoch."""
    if row.penalty_epoch == run.epoch + 1:
        return row
    row, burnt = burn(run.state, row, run.preset.audit_penalty_veins)
    run.events.append(MinerPenalised(miner=miner, burnt=burnt, reason="audit"))
    return replace(row, penalty_epoch=run.epoch + 1, penalties=row.penalties + burnt)
