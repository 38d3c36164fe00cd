"""One disk of one miner: what to tell the miner, and what its `MinerDisk` says."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from cybervein_protocol.api.disk_state import DiskState
from cybervein_protocol.api.miner.disks import DiskDocument

from cybervein_operator.api import DiskPhase, MinerDisk, MinerDiskStatus, MinerPhase
from cybervein_operator.api.quantity import short
from cybervein_operator.judgement.conditions import Answers, ConditionAnswer, conditions

_PHASES: Final[Mapping[DiskState, DiskPhase]] = {
    DiskState.READY: DiskPhase.IN_USE,
    DiskState.READ_ONLY: DiskPhase.READ_ONLY,
    DiskState.MISSING: DiskPhase.MISSING,
    DiskState.FOREIGN: DiskPhase.FOREIGN,
    DiskState.QUARANTINED: DiskPhase.FAILED,
    DiskState.DRAINED: DiskPhase.DRAINED,
}
_OVER: Final = {DiskPhase.DRAINED, DiskPhase.WIPED}
_BAD: Final = {DiskPhase.READ_ONLY, DiskPhase.MISSING, DiskPhase.FOREIGN, DiskPhase.FAILED}
_SETTLED: Final = {DiskPhase.PENDING, DiskPhase.IN_USE, DiskPhase.DRAINING, DiskPhase.READ_ONLY}
"""What a disk is only under a miner that runs."""
_SHIFT_PER_MILLE: Final = 10


class Action(Enum):
    """What the miner is to be told."""

    NOTHING = "nothing"
    DRAIN = "drain"
    TAKE_BACK = "take back"
    WIPE = "wipe"


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskFacts:
    """A disk's object, whether the pool's spec still has it, the miner's word, and its phase."""

    disk: MinerDisk
    wanted: bool
    report: DiskDocument | None
    asked: bool
    """The miner has reported at all."""
    address: str
    phase: MinerPhase
    on_its_way: bool
    """The miner starts, and nothing is wrong."""
    node: str
    stopped: bool = False
    """The miner is drained, and its pod goes."""
    remounts: bool = False
    """The pod does not mount it yet, and its next one will."""

    @property
    def starts(self) -> bool:
        """There is nothing to be said of the disk yet: its first status comes with the miner's."""
        if self.disk.status.phase is not None or self.disk.spec.drain:
            return False
        if self.report is not None:
            return self.on_its_way and self.report.state is DiskState.READY
        return not self.asked and (self.on_its_way or self.phase is MinerPhase.READY)


def action(facts: DiskFacts) -> Action:
    """What to tell the miner; the same thing twice does nothing there."""
    report, spec = facts.report, facts.disk.spec
    if report is None:
        wiped = facts.disk.status.phase is DiskPhase.WIPED
        back = facts.asked and wiped and facts.wanted and not spec.drain
        return Action.TAKE_BACK if back else Action.NOTHING
    leave = bool(spec.drain) or not facts.wanted
    if not leave:
        gone = report.leaving or report.state is DiskState.DRAINED
        return Action.TAKE_BACK if gone else Action.NOTHING
    if report.state is DiskState.DRAINED:
        return Action.WIPE if spec.wipe and spec.wipe == report.id else Action.NOTHING
    if report.state is DiskState.MISSING and facts.remounts:
        return Action.NOTHING
    # A foreign disk holds nothing of ours; of a dead one, others rebuild what it held.
    drains = report.state is not DiskState.FOREIGN and not report.leaving
    return Action.DRAIN if drains else Action.NOTHING


def obsolete(facts: DiskFacts) -> bool:
    """Whether the disk is out of the spec, emptied, and out of its miner: its object can go."""
    gone = facts.report is None and facts.asked and not facts.wanted
    return gone and facts.disk.status.phase in _OVER


def phase_of(facts: DiskFacts) -> DiskPhase:
    """Where the disk stands."""
    phase = _running_phase(facts)
    return DiskPhase.STOPPED if facts.stopped and phase in _SETTLED else phase


def _running_phase(facts: DiskFacts) -> DiskPhase:
    report, before = facts.report, facts.disk.status.phase
    if report is None:
        if not facts.wanted and before in _OVER:
            return before
        wiped = before in {DiskPhase.DRAINED, DiskPhase.WIPED} and facts.disk.spec.wipe
        if wiped and facts.disk.spec.wipe == facts.disk.status.disk_id and facts.asked:
            return DiskPhase.WIPED
        return before or DiskPhase.PENDING if not facts.asked else DiskPhase.PENDING
    if report.state is DiskState.READY and report.leaving:
        return DiskPhase.DRAINING
    return _PHASES[report.state]


def status(facts: DiskFacts, now: str) -> MinerDiskStatus:
    """The status that the disk should have; `now` is RFC 3339."""
    before, report, phase = facts.disk.status, facts.report, phase_of(facts)
    message = _message(facts, phase)
    answered = conditions(
        _answers(phase, message), before.conditions, facts.disk.metadata.generation, now
    )
    if report is None:
        return MinerDiskStatus(
            conditions=answered,
            observed_generation=facts.disk.metadata.generation,
            phase=phase,
            disk_id=before.disk_id,
            address=facts.address or before.address,
            miner_phase=facts.phase,
            node=facts.node or before.node,
            bytes_total=before.bytes_total,
            bytes_free=before.bytes_free,
            plots=0 if phase is DiskPhase.WIPED else before.plots,
            plot_bytes=0 if phase is DiskPhase.WIPED else before.plot_bytes,
            shards=0 if phase is DiskPhase.WIPED else before.shards,
            shard_bytes=0 if phase is DiskPhase.WIPED else before.shard_bytes,
            usage=None if phase is DiskPhase.WIPED else before.usage,
            message=message,
        )
    return MinerDiskStatus(
        conditions=answered,
        observed_generation=facts.disk.metadata.generation,
        phase=phase,
        disk_id=report.id or None,
        address=facts.address or before.address,
        miner_phase=facts.phase,
        node=facts.node or before.node,
        bytes_total=report.capacity_bytes,
        bytes_free=report.free_bytes,
        plots=report.plots,
        plot_bytes=report.plot_bytes,
        shards=report.shards,
        shard_bytes=report.shard_bytes,
        usage=f"{short(report.plot_bytes + report.shard_bytes)}/{short(report.capacity_bytes)}",
        message=message,
    )


def _message(facts: DiskFacts, phase: DiskPhase) -> str | None:
    report = facts.report
    if phase is DiskPhase.STOPPED:
        return "its miner is drained and stopped: nobody needs what is on it; all is kept"
    if report is None:
        return _unreported(facts, phase)
    if phase is DiskPhase.DRAINING:
        left = report.remaining
        return f"{left.shards} shards and {left.plots} plots are left"
    if phase is DiskPhase.DRAINED and facts.wanted and facts.disk.spec.drain:
        what = "nobody needs what is on it" if report.plots or report.shards else "empty"
        return f"{what}; set wipe to status.diskId to delete its files, or replace it"
    if phase is DiskPhase.MISSING and facts.remounts:
        return (
            "the pool has it no more, and what it lies on is there: it is mounted again when its "
            "miner may restart, then emptied; to keep it, name it in spec.disks again"
        )
    return report.reason[:1000] or None


def _unreported(facts: DiskFacts, phase: DiskPhase) -> str | None:
    if not facts.asked and facts.disk.status.phase is phase:
        return facts.disk.status.message  # of an operator that has just started: it stands
    return None if phase is not DiskPhase.PENDING else "the miner has not reported it yet"


def _answers(phase: DiskPhase, message: str | None) -> Answers:
    word = ConditionAnswer(str(phase), message or "")
    return Answers(
        ready=word.when(yes=phase is DiskPhase.IN_USE),
        progressing=word.when(yes=phase in {DiskPhase.PENDING, DiskPhase.DRAINING}),
        degraded=word.when(yes=phase in _BAD),
        draining=word.when(yes=phase is DiskPhase.DRAINING),
    )


def worth_writing(before: MinerDiskStatus, after: MinerDiskStatus) -> bool:
    """Whether a status says something new: bytes alone count from one per cent of the disk on.

    The person's own files change the free bytes at every poll; a thousand miners would write
    permanently what nobody reads. Counts are what people look for, and stand still at rest.
    """
    if _essence(before) != _essence(after):
        return True
    total = after.bytes_total or 0
    shift = max(
        abs((old or 0) - (new or 0))
        for old, new in (
            (before.bytes_total, after.bytes_total),
            (before.bytes_free, after.bytes_free),
            (before.plot_bytes, after.plot_bytes),
            (before.shard_bytes, after.shard_bytes),
        )
    )
    return shift * 1000 > total * _SHIFT_PER_MILLE


def _essence(status: MinerDiskStatus) -> tuple[object, ...]:
    return (
        status.phase,
        status.disk_id,
        status.address,
        status.miner_phase,
        status.node,
        status.message,
        status.observed_generation,
        status.plots,
        status.shards,
        tuple((each.type, each.status, each.reason) for each in status.conditions),
    )
