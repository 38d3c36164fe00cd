"""What a network's status says, and when to look again."""

from dataclasses import dataclass, replace

from cybervein_protocol.api.super_node.backup import BackupDocument
from cybervein_protocol.errors import LOST_LEDGER
from cybervein_runtime.durations import duration_text

from cybervein_operator.judgement.conditions import Answers, ConditionAnswer, paused
from cybervein_operator.judgement.miner import Trouble
from cybervein_operator.observed.facts import PodFacts

_FOUNDING_SECONDS = 2.0
_LOOKS_PER_EPOCH = 3
_LOOK_SECONDS = (1.0, 60.0)
_TROUBLE_SECONDS = 10.0
_PERIODS_MAX = 3
_PATIENCE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class NetworkSeen:
    """All that is known of a network. `error` is why its super node does not answer.

    `guarded` tells whether its key is in a Secret, `kept` what is told of snapshots at `now`
    (unix s).
    """

    founds: bool
    pod: PodFacts | None
    exists: bool
    pinned: bool
    trouble: Trouble | None
    error: str
    epoch: int | None
    epoch_seconds: int
    guarded: bool = True
    kept: BackupDocument | None = None
    now: float = 0.0
    paused: str = ""
    """Its name while a person has it looked at only."""
    cause: Trouble | None = None
    """Why its pod, or the pod's containers, do not come, by what events say."""
    binding: bool = False
    """No node takes its pod because of its volumes, and not for long."""

    @property
    def held_up(self) -> ConditionAnswer | None:
        """Why its super node does not run, in Kubernetes' words."""
        if self.cause is not None:
            return ConditionAnswer(self.cause.reason, self.cause.message)
        if self.pod is None or not self.pod.reason or self.binding:
            return None
        return ConditionAnswer(self.pod.reason, self.pod.message)


def answers(seen: NetworkSeen) -> Answers:
    """The conditions of a network; what spares the super node says nothing of `Ready`."""
    said = _of_super_node(seen)
    trouble = seen.trouble
    if trouble is not None and (trouble.spares or trouble.passes):
        said = _spared(_of_super_node(replace(seen, trouble=None)), trouble)
    return replace(said, paused=paused("network", seen.paused)) if seen.paused else said


def _spared(found: Answers, trouble: Trouble) -> Answers:
    """What its own state says, and beside it what is amiss."""
    word = ConditionAnswer(trouble.reason, trouble.message).yes()
    if trouble.passes:
        return found if found.progressing.so else replace(found, progressing=word)
    return found if found.degraded.so else replace(found, degraded=word)


def _of_super_node(seen: NetworkSeen) -> Answers:
    if seen.trouble is not None:
        word = ConditionAnswer(seen.trouble.reason, seen.trouble.message)
        serves = not seen.trouble.blocks and seen.pinned and not seen.error
        ready = ConditionAnswer("Running", "the super node answers").yes() if serves else word.no()
        return Answers(ready=ready, progressing=word.no(), degraded=word.yes())
    refusal = _refusal(seen)
    if refusal is not None:
        return Answers(ready=refusal.no(), progressing=refusal.no(), degraded=refusal.yes())
    if not seen.pinned:
        word = _founding(seen)
        held = seen.held_up is not None
        return Answers(
            ready=word.no(),
            progressing=word.when(yes=not held),
            degraded=word.yes() if held else ConditionAnswer("AsExpected", "").no(),
        )
    settled = ConditionAnswer("Settled", "").no()
    if seen.error:
        word = seen.held_up or ConditionAnswer("SuperNodeUnreachable", seen.error)
        return Answers(ready=word.no(), progressing=settled, degraded=word.yes())
    unkept = _unkept(seen)
    degraded = ConditionAnswer("AsExpected", "").no() if unkept is None else unkept.yes()
    return Answers(ready=_running(seen).yes(), progressing=settled, degraded=degraded)


def _running(seen: NetworkSeen) -> ConditionAnswer:
    lonely = "; its key is on its volume alone: copy it into a Secret (docs/operations.md)"
    bare = seen.founds and not seen.guarded
    return ConditionAnswer("Running", f"the super node answers{lonely if bare else ''}")


def _refusal(seen: NetworkSeen) -> ConditionAnswer | None:
    """Why an init container will not let the super node start, if so."""
    pod = seen.pod
    if pod is None or pod.ready or pod.refused is None:
        return None
    container, words = pod.refused
    if LOST_LEDGER in words:
        return ConditionAnswer("LedgerLost", words)
    if container == "restore":
        return ConditionAnswer(
            "RecoveryFailed", words or "the container restore failed; see its log"
        )
    return ConditionAnswer("FoundingRefused", words or f"container {container} failed; see its log")


def _unkept(seen: NetworkSeen) -> ConditionAnswer | None:
    """What is wrong with the snapshots, if they are planned."""
    kept = seen.kept
    if kept is None or not kept.every_seconds:
        return None
    if kept.failing:
        return ConditionAnswer("BackupFailing", f"the last snapshot failed: {kept.failing}")
    if kept.last is None:
        return None
    age = seen.now - kept.last.taken
    if age <= _PERIODS_MAX * kept.every_seconds + _PATIENCE_SECONDS:
        return None
    return ConditionAnswer(
        "BackupOld",
        f"the newest snapshot is {duration_text(age)} old, one is planned every "
        f"{duration_text(kept.every_seconds)}; look at the super node's log",
    )


def _founding(seen: NetworkSeen) -> ConditionAnswer:
    if not seen.founds:
        return ConditionAnswer("Joining", "its network file is being read")
    starts = ConditionAnswer("Founding", "the super node starts; its network file comes with it")
    return seen.held_up or starts


def next_look_seconds(seen: NetworkSeen) -> float:
    """Soon while it is founded, a few times an epoch afterwards."""
    if seen.trouble is not None or seen.error or _refusal(seen) is not None:
        return _TROUBLE_SECONDS
    if not seen.pinned or seen.epoch is None:
        return _FOUNDING_SECONDS
    least, most = _LOOK_SECONDS
    return max(least, min(most, seen.epoch_seconds / _LOOKS_PER_EPOCH))
