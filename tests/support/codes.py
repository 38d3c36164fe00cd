"""The two codes of the protocol, side by side: the specification and native code."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from cybervein_protocol.native import native

MODES = ("off", "require")


@contextmanager
def mode(name: str) -> Iterator[None]:
    """The specification alone (`off`) or native code (`require`)."""
    before = os.environ.get("CYBERVEIN_NATIVE")
    os.environ["CYBERVEIN_NATIVE"] = name
    native.cache_clear()
    try:
        yield
    finally:
        os.environ.pop("CYBERVEIN_NATIVE")
        if before is not None:
            os.environ["CYBERVEIN_NATIVE"] = before
        native.cache_clear()
