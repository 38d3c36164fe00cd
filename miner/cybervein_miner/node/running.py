"""A miner as a process: bind, open, serve, stop."""

import asyncio
import os
import sys

import structlog
import uvloop
from cybervein_protocol.signing import address
from cybervein_runtime.lock import alone
from cybervein_runtime.logs import configure_logs
from cybervein_runtime.network_file import load_network
from cybervein_runtime.serving import bind, serve, url_of

from cybervein_miner.api.bulk import BulkProtocol
from cybervein_miner.node.assembly import assemble
from cybervein_miner.node.node import Miner
from cybervein_miner.node.settings import Settings

_log = structlog.get_logger()


def run_miner(settings: Settings, host: str, port: int, *, log_json: bool) -> None:
    """Serve until SIGTERM or SIGINT."""
    configure_logs("miner", as_json=log_json)
    uvloop.run(_run(settings, host, port))


def _tell(node: Miner) -> None:
    """Who mines here, with what: the first line of every log."""
    basis = node.basis
    _log.info(
        "miner starts",
        address=address(basis.identity.keys.public),
        url=basis.standing.url,
        payout=basis.standing.payout if basis.standing.payout_asked else "as before, or its own",
        instance=basis.standing.twin.instance,
        super_node=basis.super_node.url,
        disks=[str(disk.path) for disk in basis.rack.disks],
        plots=len(basis.inventory.rows()),
        wanted=sum(node.plotter.wanted().values()),
    )


async def _run(settings: Settings, host: str, port: int) -> None:
    load_network(settings.network)  # a mistyped file is told before DATA is made
    with alone(settings.data, "miner"):
        sock = bind(host, port)
        node = assemble(settings, url_of(sock))
        await asyncio.to_thread(node.open)
        _tell(node)
        await serve(node.app(), sock, settings.run_file, BulkProtocol)
        if node.left_behind:
            # The journal is closed, a plot in the making is worth nothing: no thread is waited for.
            _log.warning("stopped with work left behind; the next start tidies up")
            sys.stderr.flush()
            os._exit(0)
        _log.info("miner stopped")
