"""The scripted run's customer: it uses the `cybervein` command, as a person would."""

import asyncio
import json
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from cybervein_protocol.errors import CyberVeinError

from cybervein_up.nursery import Started, begin, ended

_COMMAND_SECONDS_MAX = 900


@dataclass(frozen=True, slots=True)
class CommandAnswer:
    """What a command printed, and the seconds it took."""

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
        line = ("--home", str(self._home), *flags, *arguments)
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
            code = await _finish(await begin(line, (output, errors)))
            answer, complaint = map(_whole, (output, errors))
        if code != 0:
            lines = complaint.decode(errors="replace").strip().splitlines() or ["no message"]
            raise CyberVeinError(f"`cybervein {' '.join(arguments)}`: {lines[-1]}")
        return CommandAnswer(answer, time.monotonic() - began)


async def _finish(process: Started) -> int:
    """The exit code; a command that takes too long, or is not waited for any more, is killed."""
    try:
        return await asyncio.wait_for(ended(process), _COMMAND_SECONDS_MAX)
    except (TimeoutError, asyncio.CancelledError):
        process.kill()
        await ended(process)
        raise


def _whole(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read()
