"""Run an ASGI app on a bound socket, announce it in a run file, stop it gracefully."""

import asyncio
import json
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from cybervein_protocol.errors import UnavailableError

from cybervein_runtime.files import write_atomic
from cybervein_runtime.tls import Tls

_BACKLOG = 256
_CONCURRENCY_MAX = 512
_GRACE_SECONDS = 10
_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)

Application = Callable[..., Awaitable[None]]


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises UnavailableError if it is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
    except OSError as error:
        sock.close()
        raise UnavailableError(
            f"cannot listen on {host}:{port} ({error.strerror}); choose another --port"
        ) from error
    sock.listen(_BACKLOG)
    return sock


def url_of(sock: socket.socket, tls: Tls | None = None) -> str:
    """`http://host:port` of a bound socket, `https` with TLS."""
    host, port = sock.getsockname()[:2]
    scheme = "http" if tls is None else "https"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


class _AnnouncingServer(uvicorn.Server):
    """Writes the run file once it accepts connections."""

    def __init__(self, config: uvicorn.Config, run_file: Path | None, url: str) -> None:
        super().__init__(config)
        self._run_file, self._url = run_file, url

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on a signal, without uvicorn's raising it again: the caller still cleans up."""
        loop = asyncio.get_running_loop()
        for number in _STOP_SIGNALS:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in _STOP_SIGNALS:
                loop.remove_signal_handler(number)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Announce after the application's own start-up has succeeded."""
        await super().startup(sockets)
        if self.started and self._run_file is not None:
            document = {"pid": os.getpid(), "url": self._url}
            write_atomic(self._run_file, json.dumps(document).encode(), mode=0o644)


async def serve(
    app: Application,
    sock: socket.socket,
    run_file: Path | None = None,
    protocol: type[asyncio.Protocol] | None = None,
    tls: Tls | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT; open requests get a grace period to finish.

    `protocol` replaces uvicorn's HTTP protocol (the miner's moves shards past the event loop).
    """
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http=protocol or "httptools",
        log_level="warning",
        access_log=False,
        limit_concurrency=_CONCURRENCY_MAX,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        timeout_keep_alive=30,
        h11_max_incomplete_event_size=64 << 10,
        server_header=False,
        date_header=False,
        ssl_certfile=tls.cert if tls else None,
        ssl_keyfile=str(tls.key) if tls else None,
    )
    try:
        await _AnnouncingServer(config, run_file, url_of(sock, tls)).serve(sockets=[sock])
    finally:
        _withdraw(run_file)
        sock.close()


def _withdraw(run_file: Path | None) -> None:
    if run_file is not None:
        run_file.unlink(missing_ok=True)
