"""Soft confirmation: who has built on a unit that is not final yet.

Writing a unit verifies its parents, so every unit in the future cone of another (its children,
their children and so on) is a statement for it. What such statements weigh is what their issuers
would lose: each distinct issuer's bonded coins, once. Final is only what is in an engine block.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from multiformats import CID

from cybervein_protocol.ledger.units.unit import ParsedUnit


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Units in the future cone, their distinct issuers, and those issuers' bonds in veins."""

    units: int
    issuers: int
    bonded: int


def soft_confirmation(
    unit: CID, later: Iterable[ParsedUnit], bonded: Callable[[bytes], int]
) -> Confirmation:
    """How far `unit` is confirmed by the `later` units, given parents before children."""
    cone, issuers = {unit}, set()
    for other in later:
        if not cone.isdisjoint(other.unit.parents):
            cone.add(other.id)
            issuers.add(other.unit.issuer)
    weight = sum(bonded(issuer) for issuer in sorted(issuers))
    return Confirmation(units=len(cone) - 1, issuers=len(issuers), bonded=weight)
