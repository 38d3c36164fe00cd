"""A body onto a socket, its progress being what the peer's kernel has acknowledged.

A send returns when the kernel has taken the bytes, megabytes before a slow line has: so neither a
send that waits nor an answer that does not come says anything about the peer. What has left the
send queue does (Linux: SIOCOUTQ). A peer is silent if nothing leaves it for the whole limit. The
queue is asked a few times a second, and not at all where a fast line takes a body at once.
"""

import fcntl
import select
import socket
import ssl
import struct
import termios
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

_TLS_PIECE_BYTES: Final = 1 << 16
"""A send under TLS takes all of a piece or counts as nothing: a slow line must end it in time."""
_TICKS: Final = 20
_LOOK_SECONDS: Final = 0.25
"""The queue's length is not asked more often while bytes go."""
_FIRST_PAUSE_SECONDS: Final = 0.001
_ANSWER_STALLS: Final = 3
"""Stalls within which the answer must come once all is acknowledged: the peer syncs to its disk."""
ENDED: Final = (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError)
"""The peer ended the connection, said in the clear or under TLS."""


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

    A connection that ends is no error here: the answer may have come before its end. If all was
    taken the socket's timeout is left at what the answer may take.
    """
    transfer.began = transfer.moved = time.monotonic()
    outgoing = _Outgoing(sock, transfer, stall_seconds)
    sock.settimeout(outgoing.tick)
    try:
        with suppress(*ENDED), memoryview(body) as view:
            outgoing.send(view)
            outgoing.await_answer()
    finally:
        with suppress(OSError):
            sock.settimeout(outgoing.patience)


class _Outgoing:
    """One body on one socket, and when its send queue was looked at."""

    def __init__(self, sock: socket.socket, transfer: Sending, stall_seconds: float) -> None:
        self._sock, self._transfer, self._stall = sock, transfer, stall_seconds
        self._tls = isinstance(sock, ssl.SSLSocket)
        self.tick = stall_seconds / _TICKS
        self._sent = self._queued = 0
        self._looked = transfer.began

    @property
    def patience(self) -> float:
        """Seconds that nothing may happen."""
        return self._stall * (_ANSWER_STALLS if self._transfer.taken else 1)

    def send(self, view: memoryview) -> None:
        """Hand all of it to the kernel."""
        piece = _TLS_PIECE_BYTES if self._tls else len(view)  # smaller ones cost a quarter more
        pause = min(_LOOK_SECONDS, self.tick)
        while self._sent < len(view):
            with suppress(TimeoutError, BlockingIOError):
                self._sent += self._sock.send(view[self._sent : self._sent + piece])
            if time.monotonic() - self._looked >= pause:
                self._look()

    def await_answer(self) -> None:
        """Return when there is something to read, or the connection ended.

        Under TLS that may be a ticket while bytes still wait: until all is taken only their queue
        is looked at, soon and then more rarely.
        """
        pause = _FIRST_PAUSE_SECONDS if self._tls else self.tick
        while not self._ready(pause):
            self._look()
            pause = min(self.tick, 2 * pause)

    def _ready(self, seconds: float) -> bool:
        early = self._tls and not self._transfer.taken
        poll = select.poll()
        poll.register(self._sock, select.POLLRDHUP | (0 if early else select.POLLIN))
        return bool(poll.poll(seconds * 1000))

    def _look(self) -> None:
        """Note what was acknowledged since. Raises _SilentError.

        Any change of the queue is progress: under TLS a part of a piece goes before it is counted.
        """
        transfer, now, queued = self._transfer, time.monotonic(), _queued(self._sock)
        acknowledged, self._looked = max(0, self._sent - queued), now
        if acknowledged > transfer.acknowledged or queued != self._queued:
            transfer.acknowledged = max(acknowledged, transfer.acknowledged)
            transfer.moved, self._queued = now, queued
        elif now - transfer.moved > self.patience:
            raise _SilentError(
                f"silent for {self.patience:.0f} s after {acknowledged} of {transfer.size} bytes"
            )


def _queued(sock: socket.socket) -> int:
    """Bytes in the send queue. Under TLS they are a little more than those of the body."""
    (count,) = struct.unpack("i", fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, bytes(4)))
    return int(count)
