"""Choosing the units of a block, by their frames alone."""

from collections.abc import Callable, Sequence
from typing import Final

from cybervein_protocol.ledger.bodies import EpochClose
from cybervein_protocol.ledger.unit import ParsedUnit

_PASSES_MAX: Final = 4
"""Rounds that look for units whose parents or predecessors came later in the list."""

Enters = Callable[[ParsedUnit], bool]
"""Whether a unit's frame holds after those taken so far; taking it if so."""


def select(units: Sequence[ParsedUnit], enters: Enters, most: int) -> list[ParsedUnit]:
    """Up to `most` units in an order that holds, one place kept for an `epoch.close`, the last."""
    closing = [unit for unit in units if isinstance(unit.body, EpochClose)]
    waiting = [unit for unit in units if not isinstance(unit.body, EpochClose)]
    chosen: list[ParsedUnit] = []
    for _ in range(_PASSES_MAX):
        taken = _take(waiting, enters, most - 1 - len(chosen))
        chosen.extend(taken)
        if not taken:
            break
        ids = {unit.id for unit in taken}
        waiting = [unit for unit in waiting if unit.id not in ids]
    return chosen + _take(closing, enters, 1)


def _take(units: Sequence[ParsedUnit], enters: Enters, most: int) -> list[ParsedUnit]:
    taken: list[ParsedUnit] = []
    for unit in units:
        if len(taken) >= most:
            break
        if enters(unit):
            taken.append(unit)
    return taken
