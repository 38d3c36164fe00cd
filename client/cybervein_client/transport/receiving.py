"""How much of an answer has come, by the kernel's count (Linux: TCP_INFO).

Nothing is counted while bytes are read, which costs a fast line nothing; who has waited for long
asks. It is what arrived on the connection, under TLS a little more than the answer's bytes.
"""

import socket
import struct
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

_RECEIVED_AT: Final = 128
"""Offset of `tcpi_bytes_received` (u64) in `struct tcp_info`, since Linux 4.1."""
_INFO_BYTES: Final = _RECEIVED_AT + 8


@dataclass(slots=True, eq=False)
class Receiving:
    """An answer on its way; asked from any thread while another one reads it."""

    waits: bool = True
    _sock: socket.socket | None = None
    _before: int = 0
    _seen: int = 0

    def start(self) -> None:
        """A thread has taken the request."""
        self.waits = False

    def begin(self, sock: socket.socket) -> None:
        """The request goes out on this connection, which may have served others."""
        self._sock, self._before, self._seen = sock, _received(sock) or 0, 0

    def end(self) -> None:
        """The answer was read, or given up."""
        self.arrived()
        self._sock = None

    def arrived(self) -> int | None:
        """Bytes that have come, 0 if the kernel does not say; None before a thread has it."""
        if self.waits:
            return None
        sock = self._sock
        if sock is not None and (count := _received(sock)) is not None:
            self._seen = max(self._seen, count - self._before)
        return self._seen


def _received(sock: socket.socket) -> int | None:
    with suppress(OSError, struct.error):
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO_BYTES)
        (count,) = struct.unpack_from("Q", info, _RECEIVED_AT)
        return int(count)
    return None
