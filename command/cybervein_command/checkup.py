"""`doctor`: is everything in place to store files? Each check says what to do if not."""

import typer
from rich.markup import escape
from rich.table import Table

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
    table = Table(box=None, show_header=False)
    for check in checks:
        mark = "[green]ok[/]" if check.ok else "[red]no[/]"
        table.add_row(mark, check.name, escape(check.detail), "" if check.ok else check.fix)
    return table
