"""What a command shows: tables and colours for people, one JSON document for machines."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec
from rich.console import Console as RichConsole
from rich.console import RenderableType
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)


def shortened(text: str) -> str:
    """An address or CID as it fits a table; `--json` has it whole."""
    return text if len(text) <= 20 else f"{text[:10]}…{text[-6:]}"  # noqa: PLR2004 -- characters


class Console:
    """Results go to standard output, everything else to standard error."""

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self.out = RichConsole()
        self.err = RichConsole(stderr=True)

    def emit(self, data: object, render: Callable[[], RenderableType] | None = None) -> None:
        """Show a result: JSON with `--json`, else what `render` draws (or the JSON, indented).

        It may hold documents of `cybervein_protocol.api`.
        """
        data = msgspec.to_builtins(data)
        if self.as_json:
            sys.stdout.write(json.dumps(data) + "\n")
        elif render is not None:
            self.out.print(render())
        else:
            self.out.print_json(json.dumps(data))

    def say(self, text: str) -> None:
        """A note for the person at the terminal; silent with `--json`."""
        if not self.as_json:
            self.err.print(text, highlight=False)

    @contextmanager
    def progress(self, label: str, total_bytes: int | None) -> Iterator[Callable[[int], None]]:
        """A bar on standard error; the yielded function takes the bytes done so far."""
        bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=self.err,
            disable=self.as_json or not self.err.is_terminal,
        )
        with bar:
            task = bar.add_task(label, total=total_bytes)
            yield lambda done: bar.update(task, completed=done)
