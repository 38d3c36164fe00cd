"""What a command shows: tables and colours for people, one JSON document for machines.

Rich is imported when something is drawn: with `--json`, or in a service, nothing is.
"""

import json
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from cybervein_protocol.errors import MalformedError

if TYPE_CHECKING:
    from rich.console import Console as RichConsole
    from rich.console import RenderableType

_WRAPPED: Final[dict[str, Any]] = {
    "width": 80,
    "subsequent_indent": "    ",
    "break_long_words": False,
    "break_on_hyphens": False,
}


def shortened(text: str) -> str:
    """An address or CID as it fits a table; `--json` has it whole."""
    return text if len(text) <= 20 else f"{text[:10]}…{text[-6:]}"  # noqa: PLR2004 -- characters


def _unseen(done: int) -> None:
    del done


def escape(text: str) -> str:
    """The text for a string with styles, its own brackets being none."""
    from rich import markup  # noqa: PLC0415 -- see above

    return markup.escape(text)


def record(head: str, *facts: str) -> str:
    """A thing and its facts, for 80 columns; a path, id or address is never broken."""
    told = [textwrap.fill(fact, initial_indent="  ", **_WRAPPED) for fact in facts if fact]
    return "\n".join([head, *told])


def confirm(question: str, *, yes: bool) -> None:
    """Ask on standard error and end the command unless the answer is yes; `yes` asks nothing.

    Raises MalformedError where nobody is there to answer.
    """
    if yes:
        return
    sys.stderr.write(f"{question} [y/N]: ")  # `typer.confirm` writes to standard output, too
    sys.stderr.flush()
    answer = sys.stdin.readline() if sys.stdin else ""  # none: it was closed by who started this
    if not answer:
        sys.stderr.write("\n")
        raise MalformedError("no answer, so nothing was done; --yes asks nothing")
    if answer.strip().lower() not in {"y", "yes"}:
        raise MalformedError("nothing was done, as the answer was not yes")


class Console:
    """Results go to standard output, everything else to standard error."""

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json

    @cached_property
    def out(self) -> "RichConsole":
        """Standard output, drawn on."""
        from rich.console import Console as RichConsole  # noqa: PLC0415 -- see above

        return RichConsole()

    @cached_property
    def _table(self) -> "RichConsole":
        """Standard output for tables: where it is narrower than 80, the terminal breaks the lines.

        A column without room would vanish, and the rows with it could not be told apart.
        """
        from rich.console import Console as RichConsole  # noqa: PLC0415 -- see above

        return self.out if self.out.width >= _WRAPPED["width"] else RichConsole(width=80)

    @cached_property
    def err(self) -> "RichConsole":
        """Standard error, drawn on."""
        from rich.console import Console as RichConsole  # noqa: PLC0415 -- see above

        return RichConsole(stderr=True)

    def emit(self, data: object, render: "Callable[[], RenderableType] | None" = None) -> None:
        """Show a result: JSON with `--json`, else what `render` draws (or the JSON, indented).

        Lines of text are shown as they are, brackets included.

        It may hold documents of `cybervein_protocol.api`.
        """
        if render is not None and not self.as_json:
            drawn = render()
            if isinstance(drawn, str):  # the terminal breaks a long line: what is copied is whole
                self.out.print(drawn, soft_wrap=True, markup=False, highlight=False)
            else:
                self._table.print(drawn)
            return
        import msgspec  # noqa: PLC0415 -- a table does without

        data = msgspec.to_builtins(data)
        if self.as_json:
            sys.stdout.write(json.dumps(data) + "\n")
            sys.stdout.flush()  # who reads a service's word in a pipe reads it now
        else:
            self.out.print_json(json.dumps(data))

    def say(self, text: str) -> None:
        """A note for the person at the terminal; silent with `--json`."""
        if not self.as_json:
            self.err.print(text, highlight=False, soft_wrap=True)  # one line, however long

    @contextmanager
    def progress(self, label: str, total_bytes: int | None) -> Iterator[Callable[[int], None]]:
        """A bar on standard error; the yielded function takes the bytes done so far."""
        if self.as_json or not sys.stderr.isatty():
            yield _unseen
            return
        from rich import progress  # noqa: PLC0415 -- see above

        columns = (
            progress.TextColumn("{task.description}"),
            progress.BarColumn(),
            progress.DownloadColumn(),
            progress.TransferSpeedColumn(),
            progress.TimeRemainingColumn(),
        )
        with progress.Progress(*columns, console=self.err) as bar:
            task = bar.add_task(label, total=total_bytes)
            yield lambda done: bar.update(task, completed=done)
