"""Kubernetes quantities as numbers, and bytes as short text for printer columns."""

import re
from decimal import ROUND_CEILING, Decimal
from typing import Final

from cybervein_protocol.errors import MalformedError

from cybervein_operator.api.fields import QUANTITY, Quantity

_SHAPE: Final = re.compile(QUANTITY)
_BINARY: Final = {f"{letter}i": Decimal(1024) ** i for i, letter in enumerate("KMGTPE", 1)}
_DECIMAL: Final = {
    "": Decimal(1),
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    "k": Decimal(1000),
    **{letter: Decimal(1000) ** i for i, letter in enumerate("MGTPE", 2)},
}
_UNITS: Final = ("B", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")


def number(quantity: Quantity) -> int:
    """The quantity, rounded up to a whole number. Raises MalformedError."""
    text = str(quantity)
    match = _SHAPE.fullmatch(text)
    if match is None:
        raise MalformedError(f"quantity {text[:40]!r}: expected a number as in 100Gi, 1.5T or 500M")
    digits, suffix = match.group(1), match.group(3) or ""
    scale = (_BINARY | _DECIMAL).get(suffix)
    value = Decimal(text) if scale is None else Decimal(digits) * scale
    return int(value.to_integral_value(ROUND_CEILING))


def short(size: int) -> str:
    """Bytes for a person: at most four digits and a binary unit, rounded down."""
    unit = 0
    while size >= 10_000 and unit < len(_UNITS) - 1:  # noqa: PLR2004 -- five digits are too many for a column
        size, unit = size // 1024, unit + 1
    return f"{size}{_UNITS[unit]}"
