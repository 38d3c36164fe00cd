"""Choosing the units of a block, by their frames alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from cybervein_protocol.ledger.chain.block import UNITS_BYTES_MAX
from cybervein_protocol.ledger.epochs.closing import EpochClose
from cybervein_protocol.ledger.units.unit import ParsedUnit

_PASSES_MAX: Final = 4
"""Rounds that look for units whose parents or predecessors came later in the list."""

Enters = Callable[[ParsedUnit], bool]
"""Whether a unit's frame holds after those taken so far; taking it if so."""


def select(units: Sequence[ParsedUnit], enters: Enters, most: int) -> list[ParsedUnit]:
    """Up to `most` units in an order that holds, one place kept for an `epoch.close`, the last.

    Together they are at most `UNITS_BYTES_MAX` bytes.
    """
    closing = [unit for unit in units if isinstance(unit.body, EpochClose)]
    waiting = [unit for unit in units if not isinstance(unit.body, EpochClose)]
    kept = max((unit.size for unit in closing), default=0)
    room = _Room(most - 1, UNITS_BYTES_MAX - kept)
    chosen: list[ParsedUnit] = []
    for _ in range(_PASSES_MAX):
        taken = _take(waiting, enters, room)
        chosen.extend(taken)
        if not taken:
            break
        ids = {unit.id for unit in taken}
        waiting = [unit for unit in waiting if unit.id not in ids]
    return chosen + _take(closing, enters, _Room(1, kept))


@dataclass(slots=True)
class _Room:
    """What is left of a block."""

    units: int
    bytes: int


def _take(units: Sequence[ParsedUnit], enters: Enters, room: _Room) -> list[ParsedUnit]:
    """The units, one after another, for which there is room and whose frames hold."""
    taken: list[ParsedUnit] = []
    for unit in units:
        if room.units > 0 and room.bytes >= unit.size and enters(unit):
            taken.append(unit)
            room.units -= 1
            room.bytes -= unit.size
    return taken
