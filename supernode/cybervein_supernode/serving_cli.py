"""`cybervein supernode run`."""

import sys
from pathlib import Path
from typing import Annotated

import typer
import uvloop
from cybervein_runtime.addresses import PORT_MAX, check_published_url
from cybervein_runtime.logs import configure_logs
from cybervein_runtime.tls import require_tls, tls_of
from cybervein_runtime.usage import given

from cybervein_supernode.backup.vault import open_vault
from cybervein_supernode.node.home import SuperNodeHome

Data = Annotated[
    Path, typer.Option("--data", envvar="CYBERVEIN_DATA", help="Directory of the super node.")
]


def run(  # noqa: PLR0913, PLR0917 -- one parameter per option
    data: Data,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=PORT_MAX, help="Port to listen on; 0 takes a free one.")
    ] = 7700,
    url: Annotated[
        str | None, typer.Option(help="Public URL, if it is not the address listened on.")
    ] = None,
    tls_cert: Annotated[Path | None, typer.Option(help="PEM certificate chain.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its PEM key, mode 0600.")] = None,
    behind_proxy: Annotated[  # noqa: FBT002 -- a flag
        bool, typer.Option("--behind-proxy", help="A proxy in front terminates TLS.")
    ] = False,
    free_from: Annotated[
        list[str] | None,
        typer.Option(
            envvar="CYBERVEIN_FREE_FROM",
            help="Network (CIDR) of your own miners, whose free units are not limited.",
        ),
    ] = None,
    backup: Annotated[
        str | None,
        typer.Option(help="Where snapshots of the ledger go: a directory, or s3://BUCKET/PREFIX."),
    ] = None,
    backup_seconds: Annotated[
        int, typer.Option(min=1, help="Seconds between two snapshots.")
    ] = 3600,
    backup_keep: Annotated[int, typer.Option(min=1, help="How many snapshots are kept.")] = 24,
    log_json: Annotated[  # noqa: FBT002 -- a flag
        bool, typer.Option(envvar="CYBERVEIN_LOG_JSON", help="Logs as JSON lines.")
    ] = False,
) -> None:
    """Run the super node until SIGTERM or Ctrl-C."""
    from cybervein_supernode.api.free_units import parse_networks  # noqa: PLC0415 -- with the server
    from cybervein_supernode.backup.duty import BackupPlan  # noqa: PLC0415 -- with the server
    from cybervein_supernode.process.running import run as serve  # noqa: PLC0415 -- the server is slow to import

    configure_logs("supernode", as_json=log_json or not sys.stderr.isatty())
    with given("--url"):
        if url:
            check_published_url(url)
    with given():
        tls = tls_of(tls_cert, tls_key)
        require_tls(host, tls, behind_proxy=behind_proxy)
    with given("--free-from"):
        free = parse_networks(free_from or ())
    with given("--backup"):
        vault = open_vault(backup) if backup else None
    running = serve(
        SuperNodeHome(data),
        host=host,
        port=port,
        public_url=url,
        tls=tls,
        behind_proxy=behind_proxy,
        free_from=free,
        plan=None if vault is None else BackupPlan(vault, backup_seconds, backup_keep),
    )
    uvloop.run(running)
