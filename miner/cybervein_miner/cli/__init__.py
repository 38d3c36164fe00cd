"""The miner's part of the `cybervein` command, under the entry point `cybervein.commands`.

Modules of heavy imports (the web server, the plotter) are imported when their command runs.
"""

import typer

from cybervein_miner.cli import disk, drain, mine, prove, sidecar
from cybervein_miner.cli.plot import plot_app

__all__ = ["commands"]


def commands(app: typer.Typer) -> None:
    """Add `mine`, `disk`, `drain`, `sidecar`, `plot`, `prove` and `verify` to the root command."""
    app.command()(mine.mine)
    app.add_typer(disk.disk_app, name="disk")
    app.command()(drain.drain)
    app.command()(sidecar.sidecar)
    app.add_typer(plot_app, name="plot")
    app.command()(prove.prove)
    app.command()(prove.verify)
