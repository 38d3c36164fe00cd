"""A pool of kept-alive HTTP/1.1 connections for worker threads."""

import http.client
import socket
import ssl
import threading
from collections import defaultdict
from functools import cached_property
from urllib.parse import SplitResult, urlsplit

from cybervein_protocol.errors import MalformedError
from cybervein_runtime.http_client import CONNECT_SECONDS_MAX

IDLE_PER_MINER_MAX = 8


class ConnectionPool:
    """Connections by scheme and origin; one is used by one thread at a time."""

    def __init__(self, timeout_seconds: float) -> None:
        self._timeout_seconds = timeout_seconds
        self._idle: dict[tuple[str, str], list[http.client.HTTPConnection]] = defaultdict(list)
        self._lock = threading.Lock()

    def take(self, url: str) -> tuple[http.client.HTTPConnection, bool]:
        """A connection to the URL's origin, and whether it was used before."""
        parts = origin(url)
        with self._lock:
            idle = self._idle[parts.scheme, parts.netloc]
            if idle:
                return idle.pop(), True
        return self._connect(parts), False

    def fresh(self, url: str) -> http.client.HTTPConnection:
        """A new connection to the URL's origin."""
        return self._connect(origin(url))

    def give_back(self, url: str, connection: http.client.HTTPConnection) -> None:
        """Keep a connection whose answer was read whole."""
        parts = origin(url)
        with self._lock:
            idle = self._idle[parts.scheme, parts.netloc]
            if len(idle) < IDLE_PER_MINER_MAX and connection.sock is not None:
                idle.append(connection)
                return
        connection.close()

    def close(self) -> None:
        """Close what is idle."""
        with self._lock:
            for connections in self._idle.values():
                for connection in connections:
                    connection.close()
            self._idle.clear()

    @cached_property
    def _trust(self) -> ssl.SSLContext:
        """The system's authorities, read once for all connections."""
        context = ssl.create_default_context()
        context.set_alpn_protocols(["http/1.1"])
        return context

    def _connect(self, parts: SplitResult) -> http.client.HTTPConnection:
        host, patience = str(parts.hostname), min(CONNECT_SECONDS_MAX, self._timeout_seconds)
        connection = (
            http.client.HTTPSConnection(host, parts.port, timeout=patience, context=self._trust)
            if parts.scheme == "https"
            else http.client.HTTPConnection(host, parts.port, timeout=patience)
        )
        connection.connect()
        connection.sock.settimeout(self._timeout_seconds)
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection


def origin(url: str) -> SplitResult:
    """The parts of an http(s) URL. Raises MalformedError."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise MalformedError(f"miner URL {url[:80]!r}: expected http://host:port")
    return parts
