"""Units that wait for a block: bounded in number, bytes and share of one issuer.

Nothing here is acknowledged to anybody: a unit counts as accepted once its block is committed, so a
crash may forget this pool without breaking a promise.
"""

from collections import Counter
from collections.abc import Iterable

from cybervein_protocol.encoding import cid_text
from cybervein_protocol.errors import LimitError, ReplayError, UnavailableError
from cybervein_protocol.ledger.units.unit import ParsedUnit
from multiformats import CID

UNITS_MAX = 8192
BYTES_MAX = 64 << 20
ISSUER_UNITS_MAX = 1024
AGE_SECONDS_MAX = 60.0


class Mempool:
    """Parsed units by id, oldest first."""

    def __init__(self) -> None:
        self._units: dict[CID, ParsedUnit] = {}
        self._arrived: dict[CID, float] = {}
        self._of_issuer: Counter[bytes] = Counter()
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._units)

    def __contains__(self, unit: object) -> bool:
        return unit in self._units

    def units(self) -> list[ParsedUnit]:
        """All, oldest first."""
        return list(self._units.values())

    def of_issuer(self, issuer: bytes) -> int:
        """How many of an issuer's units wait."""
        return self._of_issuer[issuer]

    def admit(self, raw: bytes, issuer: bytes) -> None:
        """Raise UnavailableError or LimitError where the pool has no room for these bytes."""
        if len(self._units) >= UNITS_MAX or self.bytes + len(raw) > BYTES_MAX:
            raise UnavailableError(
                f"mempool holds {len(self._units)} units of {self.bytes} bytes; try again shortly"
            )
        if self._of_issuer[issuer] >= ISSUER_UNITS_MAX:
            raise LimitError(
                f"{ISSUER_UNITS_MAX} units of this issuer wait already; send more after a block"
            )

    def add(self, parsed: ParsedUnit, now: float) -> None:
        """Take a checked unit. Raises ReplayError for one that waits already."""
        if parsed.id in self._units:
            raise ReplayError(f"unit {cid_text(parsed.id)} waits already; ask /v1/units for it")
        self.admit(parsed.raw, parsed.unit.issuer)
        self._units[parsed.id] = parsed
        self._arrived[parsed.id] = now
        self._of_issuer[parsed.unit.issuer] += 1
        self.bytes += parsed.size

    def remove(self, ids: Iterable[CID]) -> None:
        """Forget units that are in a block or that expired."""
        for unit in ids:
            parsed = self._units.pop(unit, None)
            if parsed is None:
                continue
            del self._arrived[unit]
            self._of_issuer[parsed.unit.issuer] -= 1
            if not self._of_issuer[parsed.unit.issuer]:
                del self._of_issuer[parsed.unit.issuer]
            self.bytes -= parsed.size

    def expired(self, now: float) -> list[CID]:
        """Units that found no block for too long (a gap in nonces, a parent that never came)."""
        return [unit for unit, then in self._arrived.items() if now - then > AGE_SECONDS_MAX]
