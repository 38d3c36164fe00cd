"""Run an ASGI app on a bound socket, announce it in a run file, stop it gracefully."""

import asyncio
import errno
import json
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog
import uvicorn
from cybervein_protocol.errors import CyberVeinError, MalformedError, StorageError, UnavailableError

from cybervein_runtime.addresses import PORT_MAX
from cybervein_runtime.files import write_atomic
from cybervein_runtime.http_protocol import HttpProtocol
from cybervein_runtime.reasons import system_reason
from cybervein_runtime.tls import Tls

_BACKLOG = 256
_GRACE_SECONDS = 10
_BIND_STEPS = {
    errno.EADDRINUSE: "stop what listens there, or choose another --port",
    errno.EACCES: "choose a --port from 1024",
}
_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
RENEWAL_SECONDS = 10.0
_log = structlog.get_logger()

Application = Callable[..., Awaitable[None]]


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises UnavailableError if it is taken.

    MalformedError for a number that no port has.
    """
    if not 0 <= port <= PORT_MAX:
        raise MalformedError(f"port {port}: expected 0 (a free one) to {PORT_MAX}")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
    except OSError as error:
        sock.close()
        step = _BIND_STEPS.get(error.errno or 0, "name a --host of this machine")
        raise UnavailableError(
            f"cannot listen on {host}:{port} ({system_reason(error)}); {step}"
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
        self.failure: StorageError | None = None

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
            try:
                write_atomic(self._run_file, json.dumps(document).encode(), mode=0o644)
            except StorageError as error:  # raised here, uvicorn would break off in the middle
                self.failure, self.should_exit = error, True


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
        http=protocol or HttpProtocol,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        timeout_keep_alive=30,
        h11_max_incomplete_event_size=64 << 10,
        server_header=False,
        date_header=False,
        ssl_certfile=tls.cert if tls else None,
        ssl_keyfile=str(tls.key) if tls else None,
    )
    config.load()
    renewal = asyncio.create_task(_renew(config, tls)) if tls else None
    try:
        server = _AnnouncingServer(config, run_file, url_of(sock, tls))
        await server.serve(sockets=[sock])
        if server.failure is not None:
            raise server.failure
    finally:
        if renewal is not None:
            renewal.cancel()
        _withdraw(run_file)
        sock.close()


async def _renew(config: uvicorn.Config, tls: Tls) -> None:
    """Use renewed certificate files for new connections; damaged ones are named and left alone."""
    known = tls.stamp()
    while True:
        await asyncio.sleep(RENEWAL_SECONDS)
        if (stamp := tls.stamp()) == known:
            continue
        try:
            tls.check()
        except CyberVeinError as error:
            _log.warning("renewed certificate is not used", error=str(error))
            continue
        if config.ssl is not None:
            config.ssl.load_cert_chain(tls.cert, tls.key, password="")
        known = stamp
        _log.info("certificate renewed", cert=str(tls.cert))


def _withdraw(run_file: Path | None) -> None:
    if run_file is not None and run_file.is_file():
        run_file.unlink(missing_ok=True)
