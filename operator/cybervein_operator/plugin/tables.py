"""`status` for people: three answers, then tables of networks, pools, miners and disks."""

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from cybervein_operator.plugin.answers import Answer, Object
from cybervein_operator.plugin.overview import Overview

_GOOD = {"Ready", "True", "InUse", "Drained", "Wiped"}
_QUIET = {"Pending", "Starting", "Updating", "Draining", "Stopped", "Unknown"}


def drawn(seen: Overview, *, everywhere: bool) -> RenderableType:
    """The whole page."""
    shown = (
        (seen.networks, ("name", "ready", "epoch", "height", "miners", "message")),
        (
            seen.pools,
            ("name", "network", "ready", "miners_ready", "wanted", "usage", "draining", "message"),
        ),
        (seen.miners, ("name", "phase", "node", "disks", "reason", "message")),
        (seen.disks, ("name", "phase", "node", "usage", "plots", "shards", "message")),
    )
    first = ("namespace",) if everywhere else ()
    return Group(
        _answer("Is everybody at work?", seen.ready),
        _answer("Is the data safe?", seen.safe),
        _answer("Does it earn?", seen.earning),
        *(_table(rows, first + columns) for rows, columns in shown if rows),
    )


def _answer(question: str, answer: Answer) -> Text:
    word, style = {True: ("yes", "green"), False: ("no", "red"), None: ("unknown", "yellow")}[
        answer.ok
    ]
    return Text.assemble((f"{question} ", "bold"), (word, style), f": {answer.text}")


def _table(rows: tuple[Object, ...], columns: tuple[str, ...]) -> RenderableType:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        table.add_column(column.replace("_", " ").upper(), overflow="fold")
    for row in rows:
        table.add_row(*(_cell(column, row.get(column)) for column in columns))
    return Group(Text(), table)


def _cell(column: str, value: object) -> str:
    text = ", ".join(value) if isinstance(value, list) else "" if value is None else str(value)
    if column not in {"phase", "ready"}:
        return escape(text)
    colour = "green" if text in _GOOD else "yellow" if text in _QUIET else "red"
    return f"[{colour}]{escape(text)}[/]"
