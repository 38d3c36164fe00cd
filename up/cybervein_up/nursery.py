"""Starts `cybervein` commands as forks of one process that has imported everything already.

Each command's own interpreter would compute for a second or two before the command's first line,
and a network of eight miners is seventeen of them. What is forked is a process like any other: its
own pid, session, directory, environment and output; but its memory is shared until it writes to it.
Where the kernel has no pidfd (Linux alone has), commands are started the ordinary way.
"""

import asyncio
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Final

from cybervein_protocol.errors import UnavailableError
from cybervein_runtime.outcome import outcome

_FORKING: Final = "cybervein_command.forking"
_IMPORTED: Final = (
    "cybervein_client.client",
    "cybervein_miner.cli.mine",
    "cybervein_miner.cli.sidecar",
    "cybervein_miner.node.running",
    "cybervein_miner.sidecar.running",
    "cybervein_supernode.cli",
    "cybervein_supernode.process.running",
    "uvicorn.lifespan.on",
    "uvicorn.protocols.http.auto",
    "rich.progress",
    "rich.table",
)
"""What commands of a network and its customer import on their way; by name: `up` imports none."""
_POLL_SECONDS: Final = 0.02
_REQUEST_BYTES_MAX: Final = 1 << 16
"""Half of what the forking process takes; a longer command is started the ordinary way."""


class Offspring:
    """A started command, with what is used of `subprocess.Popen`."""

    def __init__(self, pid: int, nursery: "Nursery") -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._nursery = nursery
        try:
            self._ended = os.pidfd_open(pid)
        except OSError:  # no descriptors left: nobody would ever know of it
            os.killpg(pid, signal.SIGKILL)
            raise

    def poll(self) -> int | None:
        """The exit code, None while it runs; negative for a signal."""
        return self._look(0)

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, once it has ended. Raises subprocess.TimeoutExpired after `timeout` s."""
        if (code := self._look(timeout)) is None:
            raise subprocess.TimeoutExpired("cybervein", timeout or 0)
        return code

    def kill(self) -> None:
        """SIGKILL for its whole session."""
        if self.poll() is None:
            os.killpg(self.pid, signal.SIGKILL)

    def _look(self, seconds: float | None) -> int | None:
        if self.returncode is not None:
            return self.returncode
        end = select.poll()  # select() refuses descriptors from 1024
        end.register(self._ended, select.POLLIN)
        if end.poll(None if seconds is None else seconds * 1000):
            os.close(self._ended)
            self.returncode = self._code()
        return self.returncode

    def _code(self) -> int:
        try:
            return self._nursery.ask(json.dumps({"ended": self.pid}).encode())
        except UnavailableError:
            return -signal.SIGTERM  # what the kernel sent it at the nursery's end


Started = subprocess.Popen[bytes] | Offspring


class Nursery:
    """The process that forks, which lives as long as this one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 -- this very interpreter
                [sys.executable, "-P", "-m", _FORKING, str(theirs.fileno()), *_IMPORTED],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )

    @property
    def lost(self) -> bool:
        """Whether it has ended, and its offspring with it."""
        return self._channel.fileno() < 0 or self._process.poll() is not None

    def ask(self, request: bytes, *files: int) -> int:
        """The answer, a number. Raises UnavailableError if the nursery has ended."""
        with self._lock:
            try:
                socket.send_fds(self._channel, [request], files)
                return int(self._channel.recv(64))
            except BaseException as error:
                self._channel.close()  # an answer left unread would be taken for the next one's
                if not isinstance(error, OSError | ValueError):
                    raise
                code = self._process.wait()
                raise UnavailableError(
                    f"the process that starts commands ended with {code}"
                ) from None


_CURRENT: Final[list[Nursery]] = []
_ONE = threading.Lock()


def _nursery() -> Nursery:
    """The nursery, a new one if the last one was lost."""
    with _ONE:
        if not _CURRENT or _CURRENT[0].lost:
            _CURRENT[:] = [Nursery()]
        return _CURRENT[0]


def start(
    arguments: Sequence[str],
    files: tuple[IO[bytes], IO[bytes]],
    *,
    source: IO[bytes] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Started:
    """Start `cybervein ARGUMENTS` in a session of its own; `files` are its output and errors.

    `source` is its standard input, nothing by default; `environment` is added to this process'.
    Raises OSError if the machine has no room for a process, UnavailableError if the nursery ended.
    """
    whole = {**os.environ, **(environment or {})}
    with Path(os.devnull).open("rb") as nothing:
        streams = (source or nothing, *files)
        asked = {"arguments": [*arguments], "directory": str(Path.cwd()), "environment": whole}
        request = json.dumps(asked).encode()
        if sys.platform != "linux" or len(request) > _REQUEST_BYTES_MAX:
            return _execute(arguments, streams, whole)
        nursery = _nursery()
        pid = nursery.ask(request, *(each.fileno() for each in streams))
        if pid < 0:
            raise OSError(-pid, f"cybervein {' '.join(arguments)}: {os.strerror(-pid)}")
        return Offspring(pid, nursery)


async def begin(arguments: Sequence[str], files: tuple[IO[bytes], IO[bytes]]) -> Started:
    """`start` in a thread. Who is cancelled meanwhile leaves no process that nobody knows."""
    starting = asyncio.ensure_future(asyncio.to_thread(start, arguments, files))
    try:
        return await outcome(starting)
    except asyncio.CancelledError:
        process = await starting
        await asyncio.to_thread(_end, process)
        raise


def _end(process: Started) -> None:
    process.kill()
    process.wait()


def _execute(
    arguments: Sequence[str], streams: Sequence[IO[bytes]], environment: Mapping[str, str]
) -> Started:
    """Start a command in an interpreter of its own."""
    line = [sys.executable, "-P", "-m", "cybervein_command", *arguments]
    source, output, errors = streams
    return subprocess.Popen(  # noqa: S603 -- this very interpreter
        line, stdin=source, stdout=output, stderr=errors, env=environment, start_new_session=True
    )


async def ended(process: Started) -> int:
    """The exit code, once it has ended."""
    while (code := process.poll()) is None:  # noqa: ASYNC110 -- nothing tells of it but the asking
        await asyncio.sleep(_POLL_SECONDS)
    return code
