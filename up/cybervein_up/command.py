"""`cybervein up`."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from cybervein_protocol.presets import preset as preset_named
from cybervein_runtime.addresses import PORT_MAX, is_loopback
from cybervein_runtime.usage import given

from cybervein_up.options import Options, Scenario
from cybervein_up.run import run
from cybervein_up.view import view_for

if TYPE_CHECKING:
    from cybervein_runtime.console import Console


def up(  # noqa: PLR0913, PLR0917 -- one flag each
    ctx: typer.Context,
    data: Annotated[Path, typer.Option(help="Directory of the network's data.")] = Path(
        ".cybervein"
    ),
    miners: Annotated[int, typer.Option(min=1, max=64, help="How many miners.")] = 8,
    plots: Annotated[int, typer.Option(min=1, max=4096, help="Plots of each miner.")] = 2,
    epoch_seconds: Annotated[
        int | None, typer.Option(min=2, help="Length of an epoch in seconds (first start only).")
    ] = None,
    preset: Annotated[str, typer.Option(help="test, local or main (first start only).")] = "local",
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int,
        typer.Option(
            min=0, max=PORT_MAX, help="Super node's port; default: the last run's, or a free one."
        ),
    ] = 0,
    store: Annotated[
        Path | None, typer.Option(help="Scripted run: store this file.", dir_okay=False)
    ] = None,
    epochs: Annotated[int, typer.Option(min=2, help="Scripted run: epochs to run for.")] = 6,
    report: Annotated[
        Path | None, typer.Option(help="Scripted run: file for a JSON report.", dir_okay=False)
    ] = None,
) -> None:
    """Run a whole network on this machine until Ctrl-C, or one scripted run with --store."""
    console: Console = ctx.obj
    with given("--preset"):
        preset_named(preset)
    if not is_loopback(host):
        raise typer.BadParameter(
            f"--host {host}: `up` is one machine without TLS; use loopback, or `supernode run`"
        )
    options = Options(
        data=data.absolute(),
        miners=miners,
        plots=plots,
        epoch_seconds=epoch_seconds,
        preset=preset,
        host=host,
        port=port,
    )
    scenario = None if store is None else _scenario(store, epochs, report)
    view = view_for(as_json=console.as_json, console=console.out)
    if not asyncio.run(run(options, scenario, view)):
        raise typer.Exit(1)


def _scenario(store: Path, epochs: int, report: Path | None) -> Scenario:
    if not store.is_file():
        raise typer.BadParameter(
            f"{store} is no file; name one that exists", param_hint=["--store"]
        )
    return Scenario(store.absolute(), epochs, report)
