"""What others call a miner by whose owner gave no `--url`: the address it listens on.

One that listens on every address has none that others could use; it takes the one that faces the
super node. Whether that leads anywhere is the super node's to say (`chain.reach`).
"""

import socket
from typing import Final
from urllib.parse import urlsplit

_EVERY: Final = {"0.0.0.0", "::"}  # noqa: S104 -- compared with, not bound to


def called(listening: str, super_node: str) -> str:
    """The URL for others of a miner that listens on a URL; both have a port or their scheme's."""
    parts = urlsplit(listening)
    if parts.hostname not in _EVERY:
        return listening
    host = _facing(super_node)
    if not host:
        return listening
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}:{parts.port}"


def _facing(url: str) -> str:
    """This machine's address on the way to `url`; no packet is sent. Empty where there is none."""
    parts = urlsplit(url)
    try:
        [family, kind, _, _, where] = socket.getaddrinfo(
            parts.hostname, parts.port or 443, type=socket.SOCK_DGRAM
        )[0]
        with socket.socket(family, kind) as probe:
            probe.connect(where)
            return str(probe.getsockname()[0])
    except OSError:
        return ""
