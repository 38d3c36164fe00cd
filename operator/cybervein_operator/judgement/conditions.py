"""Conditions: answers, whose time changes only when the answer does."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from cybervein_operator.api import Condition, ConditionStatus, ConditionType

_MESSAGE_MAX = 4000


@dataclass(frozen=True, slots=True)
class ConditionAnswer:
    """A reason of one word, a sentence, and whether it is so (None: unknown)."""

    reason: str
    message: str
    so: bool | None = None

    def yes(self) -> "ConditionAnswer":
        """It is so."""
        return replace(self, so=True)

    def no(self) -> "ConditionAnswer":
        """It is not."""
        return replace(self, so=False)

    def when(self, *, yes: bool) -> "ConditionAnswer":
        """It is so, or not."""
        return replace(self, so=yes)


@dataclass(frozen=True, slots=True)
class Answers:
    """What is asked of a resource; None leaves a condition out."""

    ready: ConditionAnswer
    progressing: ConditionAnswer
    degraded: ConditionAnswer
    draining: ConditionAnswer | None = None
    registered: ConditionAnswer | None = None
    paused: ConditionAnswer | None = None


def paused(kind: str, name: str) -> ConditionAnswer:
    """A person has it looked at only."""
    message = f"it is looked at, and nothing is changed; kubectl cybervein resume {kind}/{name}"
    return ConditionAnswer("Paused", message).yes()


def conditions(
    answers: Answers, before: Sequence[Condition], generation: int, now: str
) -> tuple[Condition, ...]:
    """As the status has them; `now` is RFC 3339."""
    old = {each.type: each for each in before}
    wanted = (
        (ConditionType.READY, answers.ready),
        (ConditionType.PROGRESSING, answers.progressing),
        (ConditionType.DEGRADED, answers.degraded),
        (ConditionType.DRAINING, answers.draining),
        (ConditionType.REGISTERED, answers.registered),
        (ConditionType.PAUSED, answers.paused),
    )
    return tuple(
        _condition(kind, answer, old.get(kind), generation, now)
        for kind, answer in wanted
        if answer is not None
    )


def _condition(
    kind: ConditionType, answer: ConditionAnswer, old: Condition | None, generation: int, now: str
) -> Condition:
    status = {
        True: ConditionStatus.TRUE,
        False: ConditionStatus.FALSE,
        None: ConditionStatus.UNKNOWN,
    }[answer.so]
    same = old is not None and old.status == status
    return Condition(
        type=kind,
        status=status,
        reason=answer.reason,
        message=answer.message[:_MESSAGE_MAX],
        last_transition_time=old.last_transition_time if same and old else now,
        observed_generation=generation,
    )


@dataclass(frozen=True, slots=True)
class Notice:
    """A Kubernetes event to post."""

    type: str
    reason: str
    message: str


ALL = frozenset(ConditionType)
DISK = frozenset({ConditionType.DEGRADED, ConditionType.DRAINING})
"""Of a disk only what somebody must know: a thousand that get ready are no news."""


def notices(
    before: Sequence[Condition],
    after: Sequence[Condition],
    about: frozenset[ConditionType] = ALL,
) -> list[Notice]:
    """Events for conditions whose answer or reason changed; Degraded and blocked drains warn."""
    old = {each.type: each for each in before}
    return [
        _notice(each)
        for each in after
        if each.type in about
        and _changed(old.get(each.type), each)
        and each.status != ConditionStatus.UNKNOWN
    ]


def _changed(old: Condition | None, new: Condition) -> bool:
    if old is None:
        return new.status == ConditionStatus.TRUE
    if old.status != new.status:
        return True
    tells = new.status == ConditionStatus.TRUE or new.type == ConditionType.REGISTERED
    return tells and old.reason != new.reason


def _notice(condition: Condition) -> Notice:
    so = condition.status == ConditionStatus.TRUE
    if condition.type == ConditionType.REGISTERED:
        return _of_registration(condition, so=so)
    bad = condition.type == ConditionType.DEGRADED or condition.reason == "DrainBlocked"
    ending = {
        ConditionType.READY: "NotReady",
        ConditionType.PROGRESSING: "Settled",
        ConditionType.DEGRADED: "Recovered",
        ConditionType.DRAINING: "DrainEnded",
        ConditionType.PAUSED: "Resumed",
    }
    reason = condition.reason if so else ending[condition.type]
    message = condition.message or f"{condition.type} is {condition.status}"
    return Notice("Warning" if bad and so else "Normal", reason, message[:1000])


def _of_registration(condition: Condition, *, so: bool) -> Notice:
    """A difference that passes is none to warn of; a pool that stays behind is Degraded."""
    warns = condition.reason == "RegisteredOtherwise"
    reason = "Registered" if so else condition.reason
    return Notice("Warning" if warns else "Normal", reason, condition.message[:1000])
