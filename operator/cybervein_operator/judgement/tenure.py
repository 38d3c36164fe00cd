"""What `/readyz` says of the watched namespaces: who acts there, what is missing, what to do."""

from collections.abc import Sequence
from dataclasses import dataclass

from cybervein_operator.judgement.lease import release_of

_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Missing:
    """A kind that is not watched, and the API server's words."""

    kind: str
    words: str


@dataclass(frozen=True, slots=True)
class LeaseSeen:
    """A Lease: tried to take it, ours, whose, and why it cannot be had."""

    namespace: str
    tried: bool
    held: bool
    holder: str
    problem: str


@dataclass(frozen=True, slots=True)
class SpaceSeen:
    """A watched namespace, "" for all: kinds watched there, those missing, those not asked yet."""

    name: str
    kinds: int
    waits: tuple[str, ...]
    missing: tuple[Missing, ...]


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether all is as it was asked for, and a line for each namespace."""

    ready: bool
    text: str


def report(spaces: Sequence[SpaceSeen], leases: Sequence[LeaseSeen], me: str) -> Readiness:
    """Ready while everything asked for is watched, and this release, or nobody, acts there."""
    said = [_of_space(each) for each in spaces] + [_of_lease(each, me) for each in leases]
    lines = [line for _, line in said if line]
    return Readiness(all(ready for ready, _ in said), "\n".join(lines) or "ok")


def _of_space(space: SpaceSeen) -> tuple[bool, str]:
    if space.missing:
        return False, f"{_name(space.name)}: {missing(space)}"
    if space.waits:
        return False, f"{_name(space.name)}: not listed yet: {', '.join(space.waits)}"
    return True, ""


def missing(space: SpaceSeen) -> str:
    """What is missing in a namespace and what to do, in one line."""
    kinds, words = [each.kind for each in space.missing], space.missing[0].words
    if len(kinds) == space.kinds and space.name:
        return (
            f"nothing there may be watched, it was deleted or its Role was ({words}); bring it "
            "back, or take it out of the watched namespaces"
        )
    more = f" and {len(kinds) - _SHOWN} more" if len(kinds) > _SHOWN else ""
    return (
        f"{', '.join(kinds[:_SHOWN])}{more} cannot be watched ({words}); nothing is done there "
        "until it can: give the operator's Role its rules back, or apply the CRDs"
    )


def _of_lease(lease: LeaseSeen, me: str) -> tuple[bool, str]:
    where = _name(lease.namespace)
    if lease.held:
        return True, f"{where}: acts"
    if lease.problem:
        return False, f"{where}: its Lease cannot be taken: {lease.problem}"
    if not lease.tried or not lease.holder:
        return False, f"{where}: its Lease is being asked for"
    if release_of(lease.holder) == release_of(me):
        return True, f"{where}: stands by, {lease.holder} acts"
    return False, f"{where}: {held_by_another(lease.holder)}"


def held_by_another(holder: str) -> str:
    """That another release has a namespace, and what to do."""
    return (
        f"held by {holder}, another release's operator; nothing is done here by this one: take "
        "the namespace out of the watched ones of one of the two"
    )


def _name(namespace: str) -> str:
    return f"namespace {namespace}" if namespace else "all namespaces"
