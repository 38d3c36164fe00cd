"""`doctor`: is everything in place to store files? Each check says what to do if not."""

import typer
from rich.table import Table
from rich.text import Text

from cybervein_command.context import console_of, home_of
from cybervein_command.doctor import Check, examine


def doctor(ctx: typer.Context) -> None:
    """Check the local set-up, the wallet and the network; exit code 1 if something is wrong."""
    checks = examine(home_of(ctx))
    result = {
        "ok": all(check.ok for check in checks),
        "checks": [{"name": c.name, "ok": c.ok, "detail": c.detail, "fix": c.fix} for c in checks],
    }
    console_of(ctx).emit(result, lambda: _table(checks))
    if not result["ok"]:
        raise typer.Exit(1)


def _table(checks: list[Check]) -> Table:
    """A check in a row, its next step below: beside it, neither is whole at 80 columns."""
    table = Table(box=None, show_header=False)
    for name in ("mark", "check", "detail"):
        table.add_column(name, overflow="fold", no_wrap=name != "detail")
    for check in checks:
        mark = "[green]ok[/]" if check.ok else "[red]no[/]"
        table.add_row(mark, check.name, Text(check.detail))
        if not check.ok:
            table.add_row("", "", Text(f"next: {check.fix}"))
    return table
