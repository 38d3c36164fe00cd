"""`status` for people: three answers, then tables of networks, pools, miners and disks."""

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from cybervein_operator.plugin.overview import Answer, Object, Overview

_GOOD = {"Ready", "True", "InUse", "Drained", "Wiped"}
_QUIET = {"Pending", "Starting", "Updating", "Draining", "Unknown"}


def drawn(seen: Overview, *, everywhere: bool) -> RenderableType:
    """The whole page."""
    return Group(
        _answer("Is everybody at work?", seen.ready),
        _answer("Is the data safe?", seen.safe),
        _answer("Does it earn?", seen.earning),
        Text(),
        _table(
            seen.networks, ("name", "ready", "epoch", "height", "miners", "message"), everywhere
        ),
        _table(
            seen.pools,
            ("name", "network", "ready", "miners_ready", "wanted", "usage", "draining", "message"),
            everywhere,
        ),
        _table(seen.miners, ("name", "phase", "node", "disks", "reason", "message"), everywhere),
        _table(
            seen.disks, ("name", "phase", "node", "usage", "plots", "shards", "message"), everywhere
        ),
    )


def _answer(question: str, answer: Answer) -> Text:
    word, style = {True: ("yes", "green"), False: ("no", "red"), None: ("unknown", "yellow")}[
        answer.ok
    ]
    return Text.assemble((f"{question} ", "bold"), (word, style), f": {answer.text}")


def _table(rows: tuple[Object, ...], columns: tuple[str, ...], everywhere: bool) -> RenderableType:  # noqa: FBT001
    if not rows:
        return Text()
    columns = ("namespace", *columns) if everywhere else columns
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        table.add_column(column.replace("_", " ").upper(), overflow="fold")
    for row in rows:
        table.add_row(*(_cell(column, row.get(column)) for column in columns))
    return Group(table, Text())


def _cell(column: str, value: object) -> str:
    text = ", ".join(value) if isinstance(value, list) else "" if value is None else str(value)
    if column not in {"phase", "ready"}:
        return escape(text)
    colour = "green" if text in _GOOD else "yellow" if text in _QUIET else "red"
    return f"[{colour}]{escape(text)}[/]"
