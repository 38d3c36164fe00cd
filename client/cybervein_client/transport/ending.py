"""Ending a connection, from its own thread or another: nothing is ever written below TLS.

`SSLSocket.shutdown` and `unwrap` forget the session before they end the connection: what another
thread sends in between would go out as it is. So the kernel's socket is shut down beneath, while
the session stays: what is still sent is encrypted, and fails.
"""

import http.client
import socket
import struct
from contextlib import suppress
from typing import Final

_RESET: Final = struct.pack("ii", 1, 0)


def interrupt(sock: socket.socket | None) -> None:
    """From another thread: whatever sends or reads there fails at once."""
    if sock is not None:
        with suppress(OSError):
            socket.socket.shutdown(sock, socket.SHUT_RDWR)


def give_up(
    connection: http.client.HTTPConnection,
    sock: socket.socket,
    answer: http.client.HTTPResponse | None,
) -> None:
    """Close at once and drop what is queued: the peer hears of it now, not after all of that."""
    with suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    with suppress(OSError):
        connection.close()
        if answer is not None:
            answer.close()  # it holds a connection that ends with it
