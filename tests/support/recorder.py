"""A TLS server that keeps what comes as it came: to see that nothing but TLS records does."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from secure import Secure

HELD_BYTES = 300_000
_RECORD_TYPES = {20, 21, 22, 23}
_RECORD_BYTES_MAX = (1 << 14) + 256
_HEADER_BYTES = 5


@dataclass
class Recorder:
    """Reads so many bytes of each connection, the rest once it may `go` on; answers nothing."""

    port: int
    go: threading.Event = field(default_factory=threading.Event)
    connections: list[bytearray] = field(default_factory=list)
    ended: int = 0

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"https://127.0.0.1:{self.port}"

    def serve(self, sock: socket.socket, tls: Secure) -> None:
        """Shake hands, then only read."""
        came = bytearray()
        self.connections.append(came)
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        session = tls.server.wrap_bio(incoming, outgoing, server_side=True)
        with sock, suppress(OSError):
            while data := sock.recv(1 << 16):
                came += data
                incoming.write(data)
                with suppress(ssl.SSLWantReadError):
                    session.do_handshake()
                sock.sendall(outgoing.read())
                if len(came) > HELD_BYTES:
                    self.go.wait()
        self.ended += 1


@contextmanager
def recording(tls: Secure) -> Iterator[Recorder]:
    """A recorder for the length of a test."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        recorder = Recorder(listener.getsockname()[1])

        def accept() -> None:
            with suppress(OSError):
                while True:
                    sock, _ = listener.accept()
                    threading.Thread(target=recorder.serve, args=(sock, tls), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield recorder
        recorder.go.set()
        listener.shutdown(socket.SHUT_RDWR)


def not_tls(came: bytes) -> bytes:
    """What follows the last whole TLS record, unless it begins another; empty if all is TLS."""
    at = 0
    while len(came) - at >= _HEADER_BYTES:
        kind, major, length = came[at], came[at + 1], int.from_bytes(came[at + 3 : at + 5], "big")
        if kind not in _RECORD_TYPES or major != 3 or length > _RECORD_BYTES_MAX:
            return bytes(came[at : at + 64])
        at += _HEADER_BYTES + length
    return b""
