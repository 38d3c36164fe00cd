"""What a network's status says, and when to look again."""

from dataclasses import dataclass

from cybervein_operator.judgement.conditions import Answers, ConditionAnswer
from cybervein_operator.judgement.miner import Trouble
from cybervein_operator.observed.facts import PodFacts

_FOUNDING_SECONDS = 2.0
_LOOKS_PER_EPOCH = 3
_LOOK_SECONDS = (1.0, 60.0)
_TROUBLE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class NetworkSeen:
    """All that is known of a network. `error` is why its super node does not answer."""

    founds: bool
    pod: PodFacts | None
    exists: bool
    pinned: bool
    trouble: Trouble | None
    error: str
    epoch: int | None
    epoch_seconds: int
    paused: bool = False


def answers(seen: NetworkSeen) -> Answers:
    """The conditions of a network."""
    if seen.trouble is not None:
        word = ConditionAnswer(seen.trouble.reason, seen.trouble.message)
        return Answers(ready=word.no(), progressing=word.no(), degraded=word.yes())
    if not seen.pinned:
        word = _founding(seen)
        return Answers(
            ready=word.no(),
            progressing=word.when(yes=not _stuck(seen)),
            degraded=word.yes() if _stuck(seen) else ConditionAnswer("AsExpected", "").no(),
        )
    settled = ConditionAnswer("Settled", "").no()
    if seen.error:
        word = ConditionAnswer("SuperNodeUnreachable", seen.error)
        return Answers(ready=word.no(), progressing=settled, degraded=word.yes())
    so = ConditionAnswer("Running", "the super node answers")
    return Answers(
        ready=so.yes(), progressing=settled, degraded=ConditionAnswer("AsExpected", "").no()
    )


def _stuck(seen: NetworkSeen) -> bool:
    return seen.pod is not None and bool(seen.pod.reason)


def _founding(seen: NetworkSeen) -> ConditionAnswer:
    if not seen.founds:
        return ConditionAnswer("Joining", "its network file is being read")
    if seen.pod is not None and seen.pod.reason:
        return ConditionAnswer(seen.pod.reason, seen.pod.message)
    return ConditionAnswer("Founding", "the super node starts; its network file comes with it")


def next_look_seconds(seen: NetworkSeen) -> float:
    """Soon while it is founded, a few times an epoch afterwards."""
    if seen.trouble is not None or seen.error:
        return _TROUBLE_SECONDS
    if not seen.pinned or seen.epoch is None:
        return _FOUNDING_SECONDS
    least, most = _LOOK_SECONDS
    return max(least, min(most, seen.epoch_seconds / _LOOKS_PER_EPOCH))
