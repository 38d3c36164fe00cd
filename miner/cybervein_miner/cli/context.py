"""What the commands share."""

import typer
from cybervein_runtime.console import Console


def console_of(context: typer.Context) -> Console:
    """Where results go; the root command put it there."""
    console: Console = context.obj
    return console
