"""A sidecar as a process."""

from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path

import structlog
import uvloop
from cybervein_runtime.lock import alone
from cybervein_runtime.logs import configure_logs
from cybervein_runtime.network_file import load_network
from cybervein_runtime.serving import bind, serve, url_of
from cybervein_runtime.trust import Trust

from cybervein_miner.sidecar.announced import announced_url
from cybervein_miner.sidecar.app import build_app

_log = structlog.get_logger()


def run_sidecar(  # noqa: PLR0913 -- a process' options
    *,
    miner: str,
    data: Path | None,
    super_node: str,
    network: Path | None,
    host: str,
    port: int,
    run_file: Path | None,
    log_json: bool,
) -> None:
    """Serve until SIGTERM or SIGINT; the network file has the super node's URL and authority.

    Without a URL of the miner, the one that runs on `data` is followed wherever it listens.
    """
    configure_logs("sidecar", as_json=log_json)
    url, trust = super_node, None
    if network is not None:
        file = load_network(network)
        url = super_node or file.url
        trust = Trust(file.ca, [url, *(each for each, _ in file.super_nodes)])
    with _announced_alone(run_file):
        sock = bind(host, port)
        _log.info("sidecar starts", metrics=f"{url_of(sock)}/metrics", miner=miner or str(data))
        where = partial(announced_url, data) if data and not miner else lambda: miner
        uvloop.run(serve(build_app(where, url, trust), sock, run_file))


def _announced_alone(run_file: Path | None) -> AbstractContextManager[None]:
    """Two sidecars never write one run file: the second would take the first's with it."""
    if run_file is None:
        return nullcontext()
    return alone(run_file.parent, "sidecar", f"{run_file.stem}.lock")
