"""A session that reaches public addresses only: miners choose their URLs, we run inside a network.

The address is judged when its socket is made, after name resolution, so neither a number in the
URL nor a name that changes between two look-ups passes (ADR 30).
"""

import socket
from typing import Any

import aiohttp
from cybervein_protocol.errors import UnavailableError
from cybervein_runtime.addresses import is_public


def public_session() -> aiohttp.ClientSession:
    """Like `SignedClient`'s own session; must be called inside a running loop."""
    connector = aiohttp.TCPConnector(socket_factory=_public_socket, happy_eyeballs_delay=None)
    return aiohttp.ClientSession(connector=connector, auto_decompress=False)


def _public_socket(info: tuple[Any, ...]) -> socket.socket:
    """A socket for one resolved address. Raises UnavailableError: to us nobody is there."""
    family, kind, proto, _, where = info
    if not is_public(where[0]):
        raise UnavailableError(
            f"{where[0]} is no public address; a miner of this network must register one that is"
        )
    sock = socket.socket(family, kind, proto)
    sock.settimeout(0)  # never blocks
    return sock
