"""What small units cost at most, known before they are made."""

from typing import Final

from cybervein_protocol.ledger.units.unit import required_fee
from cybervein_protocol.names import Veins
from cybervein_protocol.presets import Preset

SMALL_UNIT_BYTES: Final = 640
"""A small unit, encoded: parents, keys, signature, a few numbers."""


def small_fees(units: int, preset: Preset) -> Veins:
    """The fees of so many units that open, renew or close a deal."""
    return Veins(units * required_fee(SMALL_UNIT_BYTES, preset))
