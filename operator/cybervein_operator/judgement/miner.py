"""Where one miner stands, from what Kubernetes and the miner itself say of it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from cybervein_protocol.api.disk_state import DiskState
from cybervein_protocol.api.miner.disks import DiskDocument

from cybervein_operator.api import MinerPhase
from cybervein_operator.desired.miner_pod import IDENTITY_FILE, STATE_DIR
from cybervein_operator.judgement.registration import NOTHING_SEEN, Registration
from cybervein_operator.miners.report import Poll, Report, name_of
from cybervein_operator.observed.facts import PodFacts

WAITING_FOR_VOLUMES = "WaitingForVolumes"
_PASSING = {"", "Creating", "NoPod", "NotReady", "NoAddress", WAITING_FOR_VOLUMES}
"""Reasons of a miner on its way that pass without help."""
LEDGER_DIFFERS = "LedgerDiffers"
_REPORTED = "Reported"
_FAILED_POLLS = 2
_DEAD_DISKS = {
    DiskState.FOREIGN: "ForeignDisk",
    DiskState.MISSING: "MissingDisk",
    DiskState.QUARANTINED: "FailedDisk",
}
"""Reasons by the state of a disk that can be neither read nor written."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """A reason of one word and a sentence; `blocks`: nothing is done until somebody acts.

    With `spares` what runs is not touched by it: a miner keeps its phase, and its pool is Degraded.
    What `passes` needs nobody: it spares too, and the pool is Progressing. While one `holds` the
    pod, the pod is not replaced: what it uses would go with it.
    """

    reason: str
    message: str
    blocks: bool = True
    spares: bool = False
    passes: bool = False
    holds: bool = False


def worst(troubles: Iterable[Trouble | None]) -> Trouble | None:
    """The gravest of them, with the sentences of all that are no less grave; None without any."""
    known = sorted((each for each in troubles if each is not None), key=_gravity)
    if not known:
        return None
    grave = [each for each in known if _gravity(each) == _gravity(known[0])]
    message = "; ".join(dict.fromkeys(each.message for each in grave))
    return replace(known[0], message=message, holds=any(each.holds for each in known))


def _gravity(trouble: Trouble) -> int:
    """How much it takes: everything, the miner, an eye, or patience."""
    if trouble.blocks:
        return 0
    return 3 if trouble.passes else 2 if trouble.spares else 1


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known of a miner.

    `leave` says why it shall go ("" while it is wanted), `template` is the hash its StatefulSet has
    ("" without one), `wish` the one the spec asks for now, `settled` whether its pod is of the
    newest revision, `proved` the last epoch whose proof of it was accepted, on the ledger's word.
    """

    name: str
    ordinal: int
    leave: str
    exists: bool
    template: str = ""
    wish: str = ""
    settled: bool = True
    pod: PodFacts | None = None
    poll: Poll | None = None
    trouble: Trouble | None = None
    node: str = ""
    granted: bool = False
    granted_epoch: int | None = None
    proved: int | None = None
    binding: bool = False
    """No node takes its pod because of its volumes, and not for long."""
    said: "MinerVerdict | None" = None
    """What its pool said of it before the operator started, while nothing newer is known."""
    stuck: bool = False
    """Its pod, or the pod's containers, do not come; `cause` is why, once events have told."""
    cause: Trouble | None = None
    urgent: bool = False
    """A person asked for its restart, which does not wait for a maintenance window."""
    home: str = ""
    """The node that it runs on or, without a pod that has one, ran on last."""
    cordoned: bool = False
    """That node takes no new pod."""
    away: str = ""
    """Who says that its node is away, "" while it is there."""
    unknown: frozenset[str] = frozenset()
    """Disks that it misses, and that neither the spec, a MinerDisk nor a claim has."""
    registration: Registration = NOTHING_SEEN

    @property
    def outdated(self) -> bool:
        """Its pod is not the one that the spec asks for now."""
        return self.exists and bool(self.wish) and self.template != self.wish

    @property
    def astray(self) -> bool:
        """Its pod is as the spec asks, and others look for it elsewhere, by the ledger."""
        return self.exists and not self.outdated and self.registration.astray

    @property
    def held(self) -> bool:
        """Its pod must not be replaced now."""
        return self.trouble is not None and self.trouble.holds

    @property
    def ready(self) -> bool:
        """Its pod is ready, and of the newest revision."""
        return self.exists and self.settled and self.pod is not None and self.pod.ready

    @property
    def proved_epoch(self) -> int | None:
        """The last epoch that it has proved, on its own or the ledger's word."""
        report = self.poll.report if self.poll else None
        own = report.last_proved_epoch if report else None
        return max((each for each in (own, self.proved) if each is not None), default=None)

    @property
    def drained(self) -> bool:
        """It said, while asked to drain, that nobody needs it any more."""
        report = self.poll.report if self.poll else None
        return report is not None and report.draining and report.drained

    @property
    def heard(self) -> bool:
        """It has spoken, or has failed to often enough; one without a pod has nothing to say."""
        if self.pod is None:
            return True
        poll = self.poll
        return poll is not None and (poll.report is not None or poll.failures >= _FAILED_POLLS)


@dataclass(frozen=True, slots=True)
class MinerVerdict:
    """A miner's phase and why, and what is amiss beside it."""

    phase: MinerPhase
    reason: str = ""
    message: str = ""
    beside: Trouble | None = None


_NOT_YET = {MinerPhase.PENDING, MinerPhase.STARTING}


def needs_help(verdict: MinerVerdict) -> bool:
    """Whether it will not get ready before somebody does something."""
    if verdict.phase in {MinerPhase.PENDING, MinerPhase.STARTING}:
        return verdict.reason not in _PASSING
    return verdict.phase in {MinerPhase.BLOCKED, MinerPhase.DEGRADED, MinerPhase.UNREACHABLE}


def judge(facts: Facts) -> MinerVerdict:
    """Where it stands; what spares it changes no phase, but says why one that starts does not."""
    trouble = facts.trouble
    if trouble is None or not (trouble.spares or trouble.passes):
        return _phase(facts)
    found = replace(_phase(replace(facts, trouble=None)), beside=trouble)
    if trouble.passes or (found.phase not in _NOT_YET and found.reason != "Stopping"):
        return found
    return replace(found, reason=trouble.reason, message=trouble.message)


def _phase(facts: Facts) -> MinerVerdict:
    """The first phase that holds: blocked, drained, draining, updating, then what the pod does.

    An operator that has just started knows nothing yet, which is no news: what was said stands.
    """
    if facts.trouble is not None and facts.trouble.blocks:
        return MinerVerdict(MinerPhase.BLOCKED, facts.trouble.reason, facts.trouble.message)
    if facts.said is not None:
        return facts.said
    if facts.leave:
        return _leaving(facts)
    if not facts.exists:
        trouble = facts.cause or facts.trouble
        if trouble is not None:
            return MinerVerdict(MinerPhase.PENDING, trouble.reason, trouble.message)
        return MinerVerdict(MinerPhase.PENDING, "Creating", "its objects are being made")
    return _unless_updating(facts, _running(facts))


def _has_time(facts: Facts) -> bool:
    """Whether the epoch has not ended in which its pod was replaced, or the difference seen."""
    report = facts.poll.report if facts.poll else None
    if not facts.granted or facts.granted_epoch is None or report is None:
        return facts.granted
    return report.epoch <= facts.granted_epoch


def _unless_updating(facts: Facts, found: MinerVerdict) -> MinerVerdict:
    """Its pod is on its way, unless the new one, or its absence, has a reason that lasts."""
    if found.reason == LEDGER_DIFFERS:
        return replace(found, phase=MinerPhase.UPDATING) if _has_time(facts) else found
    if not facts.granted or (facts.ready and not facts.outdated):
        return found
    new = not facts.outdated and (facts.settled or facts.pod is None)
    if new and needs_help(found):
        return found
    return MinerVerdict(MinerPhase.UPDATING, "Rollout", "its pod is replaced by the new one")


def _leaving(facts: Facts) -> MinerVerdict:
    if not facts.exists:
        return MinerVerdict(MinerPhase.DRAINED, "Drained", f"{facts.leave}; its volumes are kept")
    report = facts.poll.report if facts.poll else None
    if facts.drained:
        return MinerVerdict(
            MinerPhase.DRAINED, "Stopping", f"{facts.leave}; empty, it is stopped now"
        )
    if report is None or not report.draining:
        error = facts.poll.error if facts.poll else ""
        reason = "Unreachable" if error else "Asking"
        return MinerVerdict(
            MinerPhase.DRAINING, reason, error or f"{facts.leave}; it is asked to drain"
        )
    if report.drain.blocked_by:
        return MinerVerdict(MinerPhase.DRAINING, "DrainBlocked", report.drain.blocked_by)
    left = report.drain.remaining if report.drain.remaining is not None else report.held_shards
    plots, promised = report.drain.plots_live, report.drain.promised
    uploads = f", {promised} shards of open deals may come" if promised else ""
    return MinerVerdict(
        MinerPhase.DRAINING,
        "Moving",
        f"{facts.leave}; {_count(left)} shards to move, {_count(plots)} plots still count{uploads}",
    )


def _count(number: int | None) -> str:
    return "?" if number is None else str(number)


def _running(facts: Facts) -> MinerVerdict:
    pod = facts.pod
    if facts.trouble is not None:
        phase = MinerPhase.DEGRADED if facts.ready else MinerPhase.PENDING
        return MinerVerdict(phase, facts.trouble.reason, facts.trouble.message)
    if facts.away and not facts.ready:
        return MinerVerdict(MinerPhase.UNREACHABLE, "NodeNotReady", facts.away)
    if pod is None:
        return _without_pod(facts.cause)
    if (held := _held_up(pod, facts)) is not None:
        return held
    return _registered(facts, _reported(facts)) if pod.ready else _starting(facts, pod.node)


def _without_pod(cause: Trouble | None) -> MinerVerdict:
    if cause is not None:
        return MinerVerdict(MinerPhase.PENDING, cause.reason, cause.message)
    return MinerVerdict(MinerPhase.PENDING, "NoPod", "its StatefulSet has made no pod yet")


def _held_up(pod: PodFacts, facts: Facts) -> MinerVerdict | None:
    """Why its pod does not start, in Kubernetes' words."""
    if pod.unscheduled and facts.cordoned:
        words = f"its node {facts.home} is cordoned and no other takes it ({pod.message}); "
        words += f"kubectl uncordon {facts.home} brings it back"
        return MinerVerdict(MinerPhase.PENDING, "NodeCordoned", words)
    if pod.unscheduled and facts.cause is not None:
        words = f"{facts.cause.message} ({pod.message})"
        return MinerVerdict(MinerPhase.PENDING, facts.cause.reason, words)
    if pod.unscheduled:
        reason = WAITING_FOR_VOLUMES if facts.binding else pod.reason
        return MinerVerdict(MinerPhase.PENDING, reason, pod.message)
    if pod.reason:
        return MinerVerdict(MinerPhase.DEGRADED, pod.reason, pod.message)
    if facts.cause is not None and not pod.ready:
        return MinerVerdict(MinerPhase.DEGRADED, facts.cause.reason, facts.cause.message)
    return None


def _registered(facts: Facts, found: MinerVerdict) -> MinerVerdict:
    """An address that is not on the ledger is not in effect, whatever the pod was started with."""
    registration = facts.registration
    worse = found.phase is not MinerPhase.READY and found.reason != _REPORTED
    if worse or facts.outdated or not registration.behind:
        return found
    words = [registration.words(registration.behind), found.message]
    return MinerVerdict(
        MinerPhase.DEGRADED, LEDGER_DIFFERS, "; the miner says: ".join(filter(None, words))[:1000]
    )


def _starting(facts: Facts, node: str) -> MinerVerdict:
    """It starts, unless it says itself that its disks keep it from serving."""
    poll = facts.poll
    if poll is not None and poll.report is not None and not poll.failures:
        dead = _dead_disks(poll.report)
        if dead and len(dead) == len(poll.report.disks):
            return _named(facts, dead)
    where = f" on {node}" if node else ""
    return MinerVerdict(MinerPhase.STARTING, "NotReady", f"its pod starts{where}")


def _reported(facts: Facts) -> MinerVerdict:
    """A ready pod: what the miner says of itself. No word yet is no trouble."""
    poll = facts.poll
    if poll is not None and poll.failures >= _FAILED_POLLS:
        return MinerVerdict(MinerPhase.UNREACHABLE, "NoAnswer", poll.error)
    if poll is None or poll.report is None:
        return MinerVerdict(MinerPhase.READY)
    report = poll.report
    if dead := _dead_disks(report):
        return _named(facts, dead)
    words = report.degraded or ((report.problem,) if report.problem else ())
    if words:
        return MinerVerdict(MinerPhase.DEGRADED, _REPORTED, "; ".join(words)[:1000])
    return MinerVerdict(MinerPhase.READY)


def _dead_disks(report: Report) -> list[DiskDocument]:
    return [each for each in report.disks if each.state in _DEAD_DISKS]


def _named(facts: Facts, dead: list[DiskDocument]) -> MinerVerdict:
    """The first of the dead disks and its reason."""
    first = dead[0]
    more = f" (and {len(dead) - 1} more)" if len(dead) > 1 else ""
    way = _way_out(facts, first) if name_of(first) in facts.unknown else ""
    message = f"disk {name_of(first)}: {first.reason}{way}{more}"
    return MinerVerdict(MinerPhase.DEGRADED, _DEAD_DISKS[first.state], message)


def _way_out(facts: Facts, disk: DiskDocument) -> str:
    """What to do with a disk of which only the miner's journal knows."""
    command = (
        f"kubectl exec {facts.name}-0 -c miner -- cybervein disk remove {disk.id} --force --yes "
        f"--data {STATE_DIR} --identity {IDENTITY_FILE}"
    )
    return (
        f"; the pool has it no more, and there is no claim {facts.name}-{name_of(disk)} to mount: "
        f"name it in spec.disks again, or give up what it holds: {command}"
    )
