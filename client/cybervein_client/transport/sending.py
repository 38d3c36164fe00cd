"""A body onto a socket, its progress being what the peer's kernel has acknowledged.

A send returns when the kernel has taken the bytes, megabytes before a slow line has: so neither a
send that waits nor an answer that does not come says anything about the peer. What has left the
send queue does (Linux: SIOCOUTQ). A peer is silent if nothing leaves it for the whole limit.
"""

import fcntl
import http.client
import select
import socket
import ssl
import struct
import termios
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

_PIECE_BYTES: Final = 1 << 20
_TLS_PIECE_BYTES: Final = 1 << 16
"""A send under TLS takes all of a piece or counts as nothing: a slow line must end it in time."""
_TICKS: Final = 20
_ANSWER_STALLS: Final = 3
"""Stalls within which the answer must come once all is acknowledged: the peer syncs to its disk."""
_RESET: Final = struct.pack("ii", 1, 0)


@dataclass(slots=True, eq=False)
class Sending:
    """A body on its way; read by others while its thread sends. Times are monotonic seconds."""

    size: int
    acknowledged: int = 0
    began: float = field(default_factory=time.monotonic)
    moved: float = field(default_factory=time.monotonic)

    @property
    def taken(self) -> bool:
        """Whether all of it was acknowledged; the answer then waits for the peer's disk."""
        return self.acknowledged >= self.size

    def end(self) -> None:
        """The receipt is here: the rest was taken too, after the last look at the queue."""
        if not self.taken:
            self.acknowledged, self.moved = self.size, time.monotonic()

    def rate(self, now: float) -> float:
        """Bytes a second, until `now` or the last byte."""
        return self.acknowledged / max(1e-3, (self.moved if self.taken else now) - self.began)


class _SilentError(TimeoutError):
    """Nothing left the send queue for the whole limit."""


def silence(error: BaseException) -> str:
    """How long a peer was silent, and after how much of a body; empty for any other error."""
    return str(error) if isinstance(error, _SilentError) else ""


def send_body(sock: socket.socket, body: bytes, transfer: Sending, stall_seconds: float) -> None:
    """Send it and wait until the peer answers. Raises TimeoutError if the peer is silent.

    A connection that ends is no error here: the answer may have come before its end.
    """
    transfer.began = transfer.moved = time.monotonic()
    sock.settimeout(stall_seconds / _TICKS)
    sent, piece = 0, _TLS_PIECE_BYTES if isinstance(sock, ssl.SSLSocket) else _PIECE_BYTES
    try:
        with suppress(ConnectionError), memoryview(body) as view:
            while sent < len(view):
                with suppress(TimeoutError, BlockingIOError):
                    sent += sock.send(view[sent : sent + piece])
                _look(sock, sent, transfer, stall_seconds)
            while not _answered(sock, stall_seconds / _TICKS, transfer):
                patience = stall_seconds * (_ANSWER_STALLS if transfer.taken else 1)
                _look(sock, sent, transfer, patience)
    finally:
        with suppress(OSError):
            sock.settimeout(stall_seconds)


def _look(sock: socket.socket, sent: int, transfer: Sending, limit_seconds: float) -> None:
    """Note what was acknowledged since. Raises _SilentError."""
    now, acknowledged = time.monotonic(), max(0, sent - _queued(sock))
    if acknowledged > transfer.acknowledged:
        transfer.acknowledged, transfer.moved = acknowledged, now
    elif now - transfer.moved > limit_seconds:
        raise _SilentError(
            f"silent for {limit_seconds:.0f} s after {acknowledged} of {transfer.size} bytes"
        )


def _queued(sock: socket.socket) -> int:
    """Bytes in the send queue. Under TLS they are a little more than those of the body."""
    (count,) = struct.unpack("i", fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, bytes(4)))
    return int(count)


def _answered(sock: socket.socket, seconds: float, transfer: Sending) -> bool:
    """Whether there is something to read. Under TLS that may be a ticket while bytes still wait."""
    early = isinstance(sock, ssl.SSLSocket) and not transfer.taken
    poll = select.poll()
    poll.register(sock, 0 if early else select.POLLIN)
    return bool(poll.poll(seconds * 1000))


def give_up(connection: http.client.HTTPConnection) -> None:
    """Close at once and drop what is queued: the peer hears of it now, not after all of that."""
    if connection.sock is not None:
        with suppress(OSError):
            connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    connection.close()
