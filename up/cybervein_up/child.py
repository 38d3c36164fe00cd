"""One child process: started with a log file, known by its run file, stopped without leftovers.

A child leads a session of its own, so Ctrl-C in the terminal reaches `up` alone, which then stops
its children in order. Should `up` itself be killed, its nursery ends and they get SIGTERM.
"""

import asyncio
import json
import os
import signal
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from cybervein_protocol.errors import CyberVeinError, UnavailableError

from cybervein_up.nursery import Started, begin, ended

_LOG_BYTES_MAX = 32 << 20
_POLL_SECONDS = 0.05
_TAIL_BYTES = 4096


class ChildError(CyberVeinError):
    """A child process ended although nobody asked it to."""

    code = "child"


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a child is started: `arguments` of `cybervein`, where it logs and announces itself.

    A child with a run file serves: it also gets `--port`, 0 for a free one.
    """

    name: str
    arguments: tuple[str, ...]
    log_file: Path
    run_file: Path | None = None
    port: int = 0

    @property
    def full_arguments(self) -> tuple[str, ...]:
        """The arguments with the port."""
        port = () if self.run_file is None else ("--port", str(self.port))
        return (*self.arguments, *port)


class Child:
    """A started process and what is known about it."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        self.url = ""
        self.wanted = False
        self._process: Started | None = None

    @property
    def name(self) -> str:
        """The name that views and errors use."""
        return self.recipe.name

    @property
    def process(self) -> Started:
        """The process of the latest start. Raises ChildError before the first one."""
        if self._process is None:
            raise ChildError(f"{self.name} was never started")
        return self._process

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        return self.process.pid if self.running else None

    @property
    def running(self) -> bool:
        """True from start until it has ended."""
        return self._process is not None and self._process.poll() is None

    @property
    def crashed(self) -> bool:
        """It ended although it should run."""
        return self.wanted and self._process is not None and not self.running

    async def start(self) -> None:
        """Start the process; its run file of an earlier life is removed first."""
        recipe = self.recipe
        if recipe.run_file is not None:
            recipe.run_file.unlink(missing_ok=True)
        with _open_log(recipe.log_file) as log:
            self._process = await begin(recipe.full_arguments, (log, log))
        self.wanted = True

    async def ready(self, timeout_seconds: float) -> str:
        """Wait for the run file and return its URL. Raises ChildError, UnavailableError."""
        give_up = time.monotonic() + timeout_seconds
        while not (url := self._announced()):
            if not self.running:
                raise ChildError(self.obituary())
            if time.monotonic() > give_up:
                raise UnavailableError(
                    f"{self.name} is not ready after {timeout_seconds:.0f} s; "
                    f"see {self.recipe.log_file}"
                )
            await asyncio.sleep(_POLL_SECONDS)
        self.url = url
        # A restart serves at the same address: peers and the ledger know it.
        self.recipe = replace(self.recipe, port=urlsplit(url).port or 0)
        return url

    def _announced(self) -> str:
        """The URL of the run file if this very process wrote it, else an empty string."""
        if self.recipe.run_file is None:
            return ""
        try:
            document = json.loads(self.recipe.run_file.read_bytes())
        except (OSError, ValueError):
            return ""
        return str(document.get("url", "")) if document.get("pid") == self.process.pid else ""

    async def finish(self) -> None:
        """Wait for a command that ends on its own. Raises ChildError unless it exits with 0."""
        if await ended(self.process) != 0:
            raise ChildError(self.obituary())
        self.wanted = False

    async def stop(self, grace_seconds: float = 15) -> bool:
        """SIGTERM, then SIGKILL after the grace. True if it ended in time without being killed."""
        self.wanted = False
        if not self._signal(signal.SIGTERM):
            return True
        try:
            await asyncio.wait_for(ended(self.process), grace_seconds)
        except TimeoutError:
            await self.kill()
            return False
        return True

    async def kill(self) -> None:
        """SIGKILL: the machine pulls the plug."""
        self.wanted = False
        if self._signal(signal.SIGKILL):
            await ended(self.process)

    def _signal(self, number: signal.Signals) -> bool:
        """Signal the child's whole session; False if it does not run."""
        if not self.running:
            return False
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            return False
        return True

    def obituary(self) -> str:
        """One line: who ended, how, its last words (a reason or not), and where the rest is."""
        code = self.process.returncode or 0
        how = f"exit code {code}" if code >= 0 else signal.Signals(-code).name
        log = self.recipe.log_file
        return f"{self.name} ended ({how}); {_last_line(log)}; its log is {log}"


def _open_log(path: Path) -> BinaryIO:
    """Append to the log; one that grew past its limit makes room by becoming `NAME.log.1`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > _LOG_BYTES_MAX:
        path.replace(path.with_suffix(path.suffix + ".1"))
    return path.open("ab")


def _last_line(log_file: Path) -> str:
    try:
        with log_file.open("rb") as log:
            log.seek(max(0, log_file.stat().st_size - _TAIL_BYTES))
            lines = log.read().decode(errors="replace").strip().splitlines()
    except OSError:
        return "it has no log"
    told = [line.strip() for line in lines if any(sign.isalnum() for sign in line)]
    return f"last line before it ended: {told[-1]}" if told else "it logged nothing"
