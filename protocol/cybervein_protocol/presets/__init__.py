"""Every number of the protocol, in one typed table: same code, other numbers.

`test` is small enough for unit tests, `local` runs a network on one machine, `main` is the network.
The numbers of `main` are derived in docs/adr/0003-main-preset.md. A genesis carries its whole
preset, so a network is bound to its numbers and an override gives another network.
"""

from cybervein_protocol.errors import UnknownError
from cybervein_protocol.presets.networks import LOCAL, MAIN, TEST
from cybervein_protocol.presets.preset import Preset

__all__ = ["LOCAL", "MAIN", "PRESETS", "TEST", "Preset", "preset"]

PRESETS = {preset.name: preset for preset in (TEST, LOCAL, MAIN)}


def preset(name: str) -> Preset:
    """The preset of that name. Raises UnknownError."""
    try:
        return PRESETS[name]
    except KeyError:
        raise UnknownError(f"preset {name!r}: expected one of {', '.join(PRESETS)}") from None
