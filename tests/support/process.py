"""A program that tests run: started with a log file, stopped by its process group."""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from cluster.tools import system_tool
from cybervein_up.nursery import Started

LOG_TAIL_BYTES = 4_000
STOP_SECONDS = 10.0
STARTER = ThreadPoolExecutor(1, "starter")
"""One thread starts all: to the kernel the end of the thread that started a child is a death."""


@dataclass
class Process:
    """A program that can be started again after it was stopped or killed.

    It lies in a process group of its own, and the kernel kills it when the test process dies.
    """

    name: str
    command: Sequence[str | Path]
    directory: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_seconds: float = STOP_SECONDS
    _running: Started | None = None

    @property
    def log(self) -> Path:
        """Everything the program printed, over all its starts."""
        return self.directory / f"{self.name}.log"

    @property
    def pid(self) -> int:
        """The process id of the running program."""
        assert self._running is not None, f"{self.name} is not started"
        return self._running.pid

    @property
    def alive(self) -> bool:
        """Whether it runs (also when paused)."""
        return self._running is not None and self._running.poll() is None

    def tail(self) -> str:
        """The last lines it printed."""
        text = self.log.read_bytes()[-LOG_TAIL_BYTES:].decode(errors="replace")
        return f"--- end of {self.log} ---\n{text}"

    def start(self) -> None:
        """Start it; a no-op when it runs."""
        if self.alive:
            return
        with self.log.open("ab") as log:
            self._running = self._spawn(log)

    def _spawn(self, log: IO[bytes]) -> Started:
        guard = [system_tool("setpriv"), "--pdeathsig", "KILL", "--"]
        return STARTER.submit(
            subprocess.Popen,
            [*guard, *map(str, self.command)],
            cwd=self.directory,
            env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ).result()

    def stop(self) -> int | None:
        """Ask it to end, kill it after `stop_seconds`; its exit code, None if it was not started.

        Returns when its group is gone.
        """
        ended = self._running
        if ended is not None and self.alive:
            self._signal(signal.SIGCONT)
            self._signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                ended.wait(self.stop_seconds)
            self._end()
        self._running = None
        return ended.returncode if ended is not None else None

    def kill(self) -> None:
        """SIGKILL its whole group, as a crash does.

        One that has ended is left alone: its number may be another's by now.
        """
        if self.alive:
            self._end()
        self._running = None

    def _end(self) -> None:
        assert self._running is not None
        self._signal(signal.SIGKILL)
        self._running.wait()

    def pause(self) -> None:
        """Hold it still (SIGSTOP): connections are accepted, nothing is answered."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it continue (SIGCONT)."""
        self._signal(signal.SIGCONT)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Hold it still for as long as the block runs."""
        self.pause()
        try:
            yield
        finally:
            self.resume()

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.pid, number)
