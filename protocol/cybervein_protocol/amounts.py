"""Money as people read and write it: coins, exactly, whatever number of places a coin has.

Ledger and JSON know veins, integers; every line that a person reads or types has coins. Floats are
never in between: 0.1 + 0.2 is no amount.
"""

import re
from typing import Final

from cybervein_protocol.errors import LimitError, MalformedError
from cybervein_protocol.names import Veins

VEINS_MAX: Final = (1 << 63) - 1
_AMOUNT: Final = re.compile(r"([0-9]{1,19})(?:\.([0-9]+))?")


def coins(veins: int, decimals: int) -> str:
    """An amount as people read it: coins with `decimals` places, zeros at the end left out."""
    whole, part = divmod(abs(veins), 10**decimals)
    places = f"{part:0{decimals}d}".rstrip("0")
    sign = "-" if veins < 0 else ""
    return f"{sign}{whole:,}.{places}" if places else f"{sign}{whole:,}"


def parse_coins(text: str, decimals: int) -> Veins:
    """Coins as a person types them, `12` or `0.5`, in veins: exact, above 0.

    Separators of thousands are refused: `1,500` is 1.5 to half of the world.
    Raises MalformedError, or LimitError for more than a ledger can hold.
    """
    found = _AMOUNT.fullmatch(text)
    if found is None:
        raise MalformedError(f"amount {text[:40]!r}: expected coins such as 12 or 0.5")
    whole, places = found[1], found[2] or ""
    if len(places) > decimals:
        raise MalformedError(
            f"amount {text[:40]!r}: {len(places)} decimal places, a coin has {decimals}"
        )
    veins = int(whole) * 10**decimals + int(places.ljust(decimals, "0") or "0")
    if veins > VEINS_MAX:
        raise LimitError(f"amount {text[:40]!r}: at most {coins(VEINS_MAX, decimals)} coins")
    if not veins:
        raise MalformedError(f"amount {text[:40]!r}: expected more than 0 coins")
    return Veins(veins)
