"""What a pool's status says of the ledger: condition `Registered`, and what is fixed."""

from collections.abc import Callable, Mapping, Sequence

from cybervein_operator.api import (
    ConditionStatus,
    ConditionType,
    FailureDomain,
    MinerPool,
    PoolRegistration,
)
from cybervein_operator.desired import names
from cybervein_operator.judgement.conditions import ConditionAnswer
from cybervein_operator.judgement.miner import Facts
from cybervein_operator.miners.report import Declared

_SO = {ConditionStatus.TRUE: True, ConditionStatus.FALSE: False, ConditionStatus.UNKNOWN: None}


def registered(pool: MinerPool, miners: Sequence[Facts]) -> ConditionAnswer:
    """Whether the ledger has what the spec asks for, of every miner that is wanted."""
    wanted = [each for each in miners if not each.leave]
    if not wanted:
        return ConditionAnswer("NoMiners", "no miner is wanted")
    if behind := [each for each in wanted if each.registration.behind]:
        return ConditionAnswer("LedgerDiffers", _behind(behind)).no()
    if fixed := [each for each in wanted if each.registration.fixed]:
        return ConditionAnswer("RegisteredOtherwise", _fixed(fixed)).no()
    return _nothing_differs(pool, wanted)


def _nothing_differs(pool: MinerPool, wanted: Sequence[Facts]) -> ConditionAnswer:
    absent = [each for each in wanted if each.registration.ledger is None]
    if not all(each.registration.looked for each in absent):
        return _before(pool) or ConditionAnswer("NotLookedYet", "the ledger was not read yet")
    if absent:
        return ConditionAnswer("NotRegistered", _absent(absent, len(wanted))).no()
    if any(each.registration.wish is None for each in wanted):
        return _before(pool) or ConditionAnswer("NoAddress", "an address is not known yet")
    return ConditionAnswer("AsAsked", _as_asked(wanted)).yes()


def _before(pool: MinerPool) -> ConditionAnswer | None:
    """The last answer about this spec: an operator that starts again knows no better yet."""
    for each in pool.status.conditions:
        same = each.observed_generation == pool.metadata.generation
        if each.type is ConditionType.REGISTERED and same:
            return ConditionAnswer(each.reason, each.message, _SO[each.status])
    return None


def _first(miners: Sequence[Facts], words: str) -> str:
    more = f" (and {len(miners) - 1} more miners)" if len(miners) > 1 else ""
    return f"{miners[0].name}: {words}{more}"


def _behind(miners: Sequence[Facts]) -> str:
    registration = miners[0].registration
    step = (
        "its pod is replaced when its turn comes, and tells the ledger"
        if miners[0].outdated
        else "the miner tells the ledger in its next round; its log says if that fails"
    )
    return f"{_first(miners, registration.words(registration.behind))}; {step}"


def _fixed(miners: Sequence[Facts]) -> str:
    registration = miners[0].registration
    return (
        f"{_first(miners, registration.words(registration.fixed))}; no unit changes that: put back "
        "what status.registered has, or make a MinerPool of another name"
    )


def _absent(miners: Sequence[Facts], wanted: int) -> str:
    names_ = ", ".join(each.name for each in miners[:3])
    more = f" and {len(miners) - 3} more" if len(miners) > 3 else ""  # noqa: PLR2004 -- as above
    return (
        f"{len(miners)} of {wanted} miners are not on the ledger yet: {names_}{more}; each "
        "registers when it has reached the super node"
    )


def _as_asked(miners: Sequence[Facts]) -> str:
    moved = [each for each in miners if each.registration.moved]
    said = f"the ledger has what the spec asks for, of {len(miners)} miners"
    if not moved:
        return said
    words = moved[0].registration.words(("group",)).replace("the spec asks for", "it runs on")
    return f"{said}; a node's name stays that of the registration: {_first(moved, words)}"


def registration_of(
    pool: MinerPool, entries: Mapping[int, Declared], is_node: Callable[[str], bool]
) -> PoolRegistration | None:
    """What cannot change any more, from the ledger's `entries` by ordinal; None without any."""
    if not entries:
        return None
    owners = {each.owner for each in entries.values()}
    groups = {each.group for each in entries.values()}
    return PoolRegistration(
        miners=len(entries),
        owner=owners.pop() if len(owners) == 1 else None,
        group=next(iter(groups)) if len(groups) == 1 else None,
        failure_domain=_failure_domain(pool, entries, groups, is_node),
    )


def _failure_domain(
    pool: MinerPool,
    entries: Mapping[int, Declared],
    groups: set[str],
    is_node: Callable[[str], bool],
) -> FailureDomain | None:
    """The one that the registrations were made with; None where it was a group for the pool."""
    name = pool.metadata.name
    if all(each.group == names.miner(name, ordinal) for ordinal, each in entries.items()):
        return FailureDomain.MINER
    return FailureDomain.NODE if len(groups) > 1 or all(map(is_node, groups)) else None
