"""`cybervein sidecar`: the metrics exporter beside a miner."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from cybervein_protocol.errors import UnavailableError
from cybervein_runtime.addresses import PORT_MAX

from cybervein_miner.cli.context import check_urls
from cybervein_miner.sidecar.announced import SIDECAR_PORT, announced_url


def sidecar(  # noqa: PLR0913, PLR0917 -- options of a command
    miner: Annotated[
        str, typer.Option(envvar="CYBERVEIN_MINER", help="URL of the miner, if not --data's.")
    ] = "",
    supernode: Annotated[
        str,
        typer.Option(envvar="CYBERVEIN_SUPERNODE", help="Super node URL, if not network.json's."),
    ] = "",
    network: Annotated[
        Path | None,
        typer.Option(envvar="CYBERVEIN_NETWORK", help="network.json: super node and its CA."),
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int,
        typer.Option(
            min=0,
            max=PORT_MAX,
            help="Port to listen on; one for each sidecar. 0 takes a free one.",
        ),
    ] = SIDECAR_PORT,
    data: Annotated[
        Path | None, typer.Option(help="The miner's --data: says its URL, gets sidecar.json.")
    ] = None,
    run_file: Annotated[Path | None, typer.Option(help="File that says where it listens.")] = None,
    log_json: Annotated[  # noqa: FBT002 -- a flag
        bool, typer.Option(envvar="CYBERVEIN_LOG_JSON", help="Log as JSON lines.")
    ] = False,
) -> None:
    """Serve /metrics for Prometheus: contribution, rewards, disks, network, audits, plotting."""
    if not (supernode or network):
        raise typer.BadParameter("give --network or --supernode")
    if not (miner or data):
        raise typer.BadParameter("give --data of a miner on this machine, or --miner URL")
    check_urls({"--miner": miner, "--supernode": supernode})
    if data and not miner:
        _expect(data, log_json=log_json)
    where = run_file or (data / "sidecar.json" if data else None)
    options = [
        *("--host", host, "--port", str(port)),
        *(("--miner", miner) if miner else ("--data", str(data))),
        *(("--supernode", supernode) if supernode else ()),
        *(("--network", str(network)) if network else ()),
        *(("--run-file", str(where)) if where else ()),
        *(("--log-json",) if log_json else ()),
    ]
    if "cybervein_miner.sidecar.running" in sys.modules:  # forked: what is imported is shared
        from cybervein_miner.sidecar.__main__ import main  # noqa: PLC0415 -- only then

        main(options)
        return
    # The same process without this command's imports: it idles beside every miner. -P: no module of
    # the working directory.
    line = [sys.executable, "-P", "-m", "cybervein_miner.sidecar", *options]
    os.execv(sys.executable, line)  # noqa: S606 -- ourselves


def _expect(data: Path, *, log_json: bool) -> None:
    """Return once a miner runs on `data`, or will; that it is waited for is said."""
    try:
        announced_url(data)
    except UnavailableError:
        from cybervein_runtime.logs import configure_logs  # noqa: PLC0415 -- only then

        from cybervein_miner.sidecar.awaited import expect_miner  # noqa: PLC0415

        configure_logs("sidecar", as_json=log_json)
        expect_miner(data)
