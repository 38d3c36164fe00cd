"""`cybervein sidecar`: the metrics exporter beside a miner."""

from pathlib import Path
from typing import Annotated

import typer


def sidecar(  # noqa: PLR0913, PLR0917 -- options of a command
    miner: Annotated[str, typer.Option(help="URL of the miner")],
    supernode: Annotated[str, typer.Option(help="URL of a super node")],
    host: Annotated[str, typer.Option(help="address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="port to listen on; 0 takes a free one")] = 0,
    data: Annotated[Path | None, typer.Option(help="directory for sidecar.json")] = None,
    run_file: Annotated[Path | None, typer.Option(help="file that says where it listens")] = None,
    log_json: Annotated[bool, typer.Option(help="log as JSON lines")] = False,  # noqa: FBT002 -- a flag
) -> None:
    """Serve /metrics for Prometheus: contribution, rewards, disks, network, audits, plotting."""
    from cybervein_miner.sidecar.running import run_sidecar  # noqa: PLC0415 -- the web server

    where = run_file or (data / "sidecar.json" if data else None)
    run_sidecar(miner, supernode, host, port, where, log_json=log_json)
