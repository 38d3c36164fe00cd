"""A claim's size: what is asked of it now, and what is said where spec and claim differ.

The schema lets a size shrink, as CEL cannot see what claims have (ADR 80): the way back from a
growth that was refused must stay open. What a claim cannot do is told, and stops nothing.
"""

from dataclasses import dataclass
from typing import Final

from cybervein_operator.api.quantity import number
from cybervein_operator.judgement.miner import Trouble
from cybervein_operator.observed.facts import FAILED, GROWS, WAITS_FOR_POD, ClaimFacts

LONG: Final = frozenset({"ClaimCannotGrow", "ClaimGrows", "ClaimLarger", "ClaimTerminating"})
"""Reasons whose end a watch tells, or a person: nothing is gained by looking often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimSeen:
    """A claim, the size that the spec asks for now, and the pod that uses it.

    `expandable` is what its class says of growth (None: unknown), `refusal` what the API server
    said when that size was asked for.
    """

    name: str
    pod: str
    wish: str
    facts: ClaimFacts
    deleting: bool = False
    expandable: bool | None = None
    refusal: str = ""

    @property
    def asked(self) -> int:
        """Bytes that the claim asks for."""
        return number(self.facts.requested) if self.facts.requested else number(self.wish)

    @property
    def has(self) -> int:
        """Bytes that its volume has, or that it asks for while nobody says."""
        return number(self.facts.holds) if self.facts.holds else self.asked

    @property
    def bound(self) -> bool:
        """Whether it has a volume: only then its size may change."""
        return self.facts.phase == "Bound"

    @property
    def size(self) -> str:
        """What it has, as people write it."""
        return self.facts.holds or self.facts.requested


def to_ask(seen: ClaimSeen) -> str:
    """The size to ask the API server for: the wish where it may be granted, else as it is.

    Only above what the volume has is anything granted: less than before takes a failed growth back,
    and a volume that came larger than its claim asks has room enough.
    """
    wish, as_it_is = number(seen.wish), seen.facts.requested
    if wish == seen.asked:
        return seen.wish
    if seen.refusal or seen.deleting or not seen.bound:
        return as_it_is
    may = wish < seen.asked or seen.expandable is not False
    return seen.wish if may and wish > seen.has else as_it_is


def claim_trouble(seen: ClaimSeen) -> Trouble | None:
    """What a person must know of it, or None."""
    wish = number(seen.wish)
    if seen.deleting:
        return terminating(seen.name, seen.pod, seen.facts.volume)
    if not seen.bound:
        return _unbound(seen) if wish != seen.asked else None
    if wish < seen.asked and (wish < seen.has or seen.refusal):
        return _larger(seen)
    if wish > seen.has and (wish > seen.asked or seen.facts.growth == FAILED):
        return _cannot_grow(seen)
    grows = seen.facts.growth in {GROWS, WAITS_FOR_POD} or wish == seen.asked > seen.has
    return _growing(seen) if grows else None


def terminating(name: str, pod: str, volume: str) -> Trouble:
    """A claim that somebody deleted while its pod uses it."""
    if not volume:
        text = f"claim {name} is being deleted; it is made anew once it is gone"
        return Trouble("ClaimTerminating", text, blocks=False, spares=True)
    keep = f"kubectl patch pv {volume} -p "
    keep += '\'{"spec":{"persistentVolumeReclaimPolicy":"Retain"}}\''
    text = (
        f"claim {name} is being deleted and goes as soon as pod {pod} stops, and with reclaim "
        f"policy Delete its bytes; to keep them, before that: {keep} (docs/operations.md says how "
        "to bind it again); until then the pod is not replaced"
    )
    return Trouble("ClaimTerminating", text, blocks=False, spares=True, holds=True)


def _cannot_grow(seen: ClaimSeen) -> Trouble:
    name = seen.facts.storage_class or ""
    why = seen.refusal or (seen.facts.words if seen.facts.growth == FAILED else "")
    if not why and seen.expandable is False:
        why = f"storage class {name} has no allowVolumeExpansion" if name else "it has no class"
    text = (
        f"claim {seen.name} has {seen.size}, the spec asks for {seen.wish}: {why or 'refused'}; "
        f"set the size back to {seen.size}, or let the class grow, or add a disk"
    )
    return Trouble("ClaimCannotGrow", text, blocks=False, spares=True)


def _larger(seen: ClaimSeen) -> Trouble:
    why = f" ({seen.refusal})" if seen.refusal else ""
    size = seen.facts.requested if seen.asked <= seen.has else seen.size
    text = (
        f"claim {seen.name} has {seen.size}, the spec asks for {seen.wish}: a claim never "
        f"shrinks{why}, nothing was changed; set the size back to {size}, or drain the disk and "
        "add a smaller one of another name"
    )
    return Trouble("ClaimLarger", text, blocks=False, spares=True)


def _unbound(seen: ClaimSeen) -> Trouble:
    """Its size cannot change before it has a volume; there is nothing in it either."""
    asks = f"claim {seen.name} asks for {seen.facts.requested} and has no volume yet"
    if number(seen.wish) > seen.asked:
        text = f"{asks}; it grows to {seen.wish} once it has"
        return Trouble("ClaimGrows", text, blocks=False, spares=True, passes=True)
    text = f"{asks}, so it cannot ask for {seen.wish}; delete it, and it is made anew with that"
    return Trouble("ClaimLarger", text, blocks=False, spares=True)


def _growing(seen: ClaimSeen) -> Trouble:
    words = f": {seen.facts.words}" if seen.facts.words else ""
    if seen.facts.growth == WAITS_FOR_POD:
        text = f"claim {seen.name}: its volume has grown, the file system follows"
        text += f"{words}; if it stays so, delete pod {seen.pod}: the next one grows it"
    else:
        text = f"claim {seen.name} grows from {seen.size} to {seen.facts.requested}{words}"
    return Trouble("ClaimGrows", text, blocks=False, spares=True, passes=True)
