"""The one switch between the executable specification and the Rust code.

`CYBERVEIN_NATIVE=auto` (default) takes native code where it is installed, `require` fails without
it, `off` runs the specification alone. Results are equal byte for byte either way.
"""

import os
from functools import cache
from importlib import import_module
from types import ModuleType

from cybervein_protocol.errors import CyberVeinError


@cache
def native() -> ModuleType | None:
    """The `cybervein_native` module, or None where the specification shall run."""
    mode = os.environ.get("CYBERVEIN_NATIVE", "auto")
    if mode not in {"auto", "require", "off"}:
        raise CyberVeinError(f"CYBERVEIN_NATIVE={mode!r}: expected auto, require or off")
    if mode == "off":
        return None
    try:
        return import_module("cybervein_native")
    except ImportError as error:
        if mode == "require":
            raise CyberVeinError(f"native code is required but missing: {error}") from error
        return None
