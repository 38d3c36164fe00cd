"""The scripted run's customer: it uses the `cybervein` command, as a person would."""

import asyncio
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cybervein_protocol.errors import CyberVeinError

from cybervein_up.child import command

_COMMAND_SECONDS_MAX = 900


@dataclass(frozen=True, slots=True)
class CommandAnswer:
    """What a command printed, and the seconds it took with the interpreter's start."""

    output: bytes
    seconds: float

    def json(self) -> Any:  # noqa: ANN401 -- JSON
        """The last line as JSON."""
        return json.loads(self.output.splitlines()[-1])


class Customer:
    """Runs `cybervein --home HOME …`."""

    def __init__(self, home: Path) -> None:
        self._home = home

    async def run(self, *arguments: str, as_json: bool = True) -> CommandAnswer:
        """One command. Raises CyberVeinError with its error line unless it exits with 0."""
        began = time.monotonic()
        flags = ("--json",) if as_json else ()
        process = await asyncio.create_subprocess_exec(
            *command(("--home", str(self._home), *flags, *arguments)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            output, errors = await asyncio.wait_for(process.communicate(), _COMMAND_SECONDS_MAX)
        except (TimeoutError, asyncio.CancelledError):
            process.kill()
            await process.wait()
            raise
        if process.returncode != 0:
            lines = errors.decode(errors="replace").strip().splitlines() or ["no message"]
            raise CyberVeinError(f"`cybervein {' '.join(arguments)}`: {lines[-1]}")
        return CommandAnswer(output, time.monotonic() - began)
