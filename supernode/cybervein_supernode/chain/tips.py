"""Tips of the DAG: recent final units that few cite yet; new units cite them as parents."""

from collections.abc import Iterable, Sequence

from cybervein_protocol.ledger.units.unit import PARENTS_MAX, ParsedUnit
from multiformats import CID


class Tips:
    """At most eight parents to cite, the newest uncited first, filled up with recent units."""

    def __init__(self, roots: Sequence[CID]) -> None:
        self._tips: dict[CID, None] = dict.fromkeys(roots)
        self._recent: dict[CID, None] = dict.fromkeys(roots)

    def advance(self, units: Iterable[ParsedUnit]) -> None:
        """Take in the units of a block."""
        for parsed in units:
            for parent in parsed.unit.parents:
                self._tips.pop(parent, None)
            self._tips[parsed.id] = None
            self._recent[parsed.id] = None
        self._tips = dict.fromkeys(list(self._tips)[-PARENTS_MAX:])
        self._recent = dict.fromkeys(list(self._recent)[-PARENTS_MAX:])

    def parents(self) -> list[CID]:
        """Two to eight distinct known units, sorted by bytes as a unit lists them."""
        chosen = dict.fromkeys(reversed(self._tips))
        if len(chosen) < 2:  # noqa: PLR2004 -- a unit has two parents at least
            chosen |= dict.fromkeys(reversed(self._recent))
        return sorted(list(chosen)[:PARENTS_MAX], key=bytes)
