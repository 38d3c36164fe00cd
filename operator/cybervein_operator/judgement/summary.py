"""What a pool's status says of all its miners together."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from cybervein_operator.api import Attention, MinerPhase, MinerPool, PoolBytes
from cybervein_operator.api.pool_status import ATTENTION_MAX
from cybervein_operator.api.quantity import short
from cybervein_operator.judgement.conditions import Answers, ConditionAnswer
from cybervein_operator.judgement.miner import Facts, MinerVerdict, Trouble, needs_help
from cybervein_operator.judgement.pool import why_leave


@dataclass(frozen=True, slots=True)
class Sums:
    """Of all miners: bytes, and how many exist, are ready, and are as the spec asks.

    `waiting` are those whose pod is still another than the spec's.
    """

    bytes: PoolBytes
    existing: int
    ready: int
    updated: int
    waiting: int = 0


def sums(miners: Sequence[Facts], verdicts: Mapping[str, MinerVerdict]) -> Sums:
    """Add up."""
    disks = [
        disk
        for each in miners
        if each.exists and each.poll is not None and each.poll.report is not None
        for disk in each.poll.report.disks
    ]
    total = PoolBytes(
        plots=sum(each.plot_bytes for each in disks),
        shards=sum(each.shard_bytes for each in disks),
        total=sum(each.capacity_bytes for each in disks),
        free=sum(each.free_bytes for each in disks),
    )
    existing = [each for each in miners if each.exists]
    ready = sum(verdict.phase is MinerPhase.READY for verdict in verdicts.values())
    current = [each for each in existing if not each.outdated and each.settled]
    updated = sum(not each.registration.behind for each in current)
    return Sums(total, len(existing), ready, updated, len(existing) - len(current))


def usage(size: PoolBytes) -> str:
    """Used of size, for people."""
    return f"{short(size.plots + size.shards)}/{short(size.total)}"


def phases(verdicts: Mapping[str, MinerVerdict]) -> dict[str, int]:
    """Miners by phase, in the order of the phases; those without miners are left out."""
    count = Counter(verdict.phase for verdict in verdicts.values())
    return {str(phase): count[phase] for phase in MinerPhase if count[phase]}


_URGENCY = (
    MinerPhase.BLOCKED,
    MinerPhase.UNREACHABLE,
    MinerPhase.DEGRADED,
    MinerPhase.DRAINING,
    MinerPhase.UPDATING,
    MinerPhase.PENDING,
    MinerPhase.STARTING,
    MinerPhase.DRAINED,
)


def attention(
    miners: Sequence[Facts], verdicts: Mapping[str, MinerVerdict]
) -> tuple[Attention, ...]:
    """Miners that are not Ready, the most urgent first, at most fifty."""
    urgent = [each for each in miners if verdicts[each.name].phase is not MinerPhase.READY]
    urgent.sort(key=lambda each: (_URGENCY.index(verdicts[each.name].phase), each.ordinal))
    return tuple(
        Attention(
            miner=each.name,
            phase=verdicts[each.name].phase,
            reason=verdicts[each.name].reason,
            message=verdicts[each.name].message[:1000],
        )
        for each in urgent[:ATTENTION_MAX]
    )


def answers(
    pool: MinerPool,
    verdicts: Mapping[str, MinerVerdict],
    added: Sums,
    trouble: Trouble | None,
    waits: ConditionAnswer | None = None,
) -> Answers:
    """The pool's conditions; `waits` is why upgrades wait, if it is not for proofs."""
    if trouble is not None and not trouble.spares:
        word = ConditionAnswer(trouble.reason, trouble.message)
        return Answers(
            ready=word.no(),
            progressing=word.when(yes=not trouble.blocks),
            degraded=word.when(yes=trouble.blocks),
            draining=None,
        )
    wanted = sum(not why_leave(pool, each) for each in range(pool.spec.replicas))
    count = Counter(verdict.phase for verdict in verdicts.values())
    bad = [(name, verdict) for name, verdict in verdicts.items() if needs_help(verdict)]
    ready = f"{added.ready} of {wanted} miners are ready"
    return Answers(
        ready=ConditionAnswer("AllReady" if added.ready >= wanted else "NotAllReady", ready).when(
            yes=added.ready >= wanted
        ),
        progressing=_progress(count, added, waits, _beside(verdicts, passes=True)),
        degraded=_degraded(_told(bad, _beside(verdicts, passes=False)), trouble),
        draining=_draining(count, verdicts),
    )


_Told = list[tuple[str, MinerVerdict]]
"""Names of miners, and what is said of each."""


def _beside(verdicts: Mapping[str, MinerVerdict], *, passes: bool) -> _Told:
    """What is amiss with miners that it spares, as if it were their phase's reason."""
    return [
        (name, replace(verdict, reason=verdict.beside.reason, message=verdict.beside.message))
        for name, verdict in verdicts.items()
        if verdict.beside is not None and verdict.beside.passes is passes
    ]


def _told(bad: _Told, beside: _Told) -> _Told:
    """Each miner once: whose data would go first, then who does not work, then the rest."""
    holding = [(n, v) for n, v in beside if v.beside is not None and v.beside.holds]
    found: dict[str, MinerVerdict] = {}
    for name, verdict in (*holding, *bad, *beside):
        found.setdefault(name, verdict)
    return list(found.items())


def _progress(
    count: Counter[MinerPhase], added: Sums, waits: ConditionAnswer | None, passing: _Told
) -> ConditionAnswer:
    moving = {
        phase: count[phase]
        for phase in (MinerPhase.PENDING, MinerPhase.STARTING, MinerPhase.UPDATING)
        if count[phase]
    }
    if moving:
        words = ", ".join(f"{number} {phase.lower()}" for phase, number in moving.items())
        return ConditionAnswer("Rolling" if count[MinerPhase.UPDATING] else "Starting", words).yes()
    if added.waiting:
        if waits is not None:
            return waits.yes()
        message = f"{added.waiting} miners wait for their turn to be updated"
        return ConditionAnswer("WaitingForProofs", message).yes()
    if passing:
        name, verdict = passing[0]
        return ConditionAnswer(verdict.reason, f"{name}: {verdict.message}{_more(passing)}").yes()
    return ConditionAnswer("Settled", "").no()


def _degraded(bad: _Told, trouble: Trouble | None) -> ConditionAnswer:
    """What is wrong with miners, else what is refused of the pool's own objects."""
    if not bad and trouble is not None:
        return ConditionAnswer(trouble.reason, trouble.message).yes()
    if not bad:
        return ConditionAnswer("AsExpected", "").no()
    name, verdict = bad[0]
    reasons = {each.reason for _, each in bad}
    reason = verdict.reason if len(reasons) == 1 else "MinersDegraded"
    words = f"{name}: {verdict.message}{_more(bad)}"
    return ConditionAnswer(reason or "MinersDegraded", words).yes()


def _more(many: _Told) -> str:
    return f" (and {len(many) - 1} more)" if len(many) > 1 else ""


def _draining(count: Counter[MinerPhase], verdicts: Mapping[str, MinerVerdict]) -> ConditionAnswer:
    if not count[MinerPhase.DRAINING]:
        return ConditionAnswer("NothingDrains", "").no()
    drains = [(n, v) for n, v in verdicts.items() if v.phase is MinerPhase.DRAINING]
    stuck = [(n, v) for n, v in drains if v.reason in {"DrainBlocked", "Unreachable"}]
    name, verdict = (stuck or drains)[0]
    message = f"{len(drains)} miners drain; {name}: {verdict.message}"
    return ConditionAnswer(verdict.reason if stuck else "Draining", message).yes()
