"""A sidecar as a process."""

from pathlib import Path

import uvloop
from cybervein_runtime.logs import configure_logs
from cybervein_runtime.serving import bind, serve

from cybervein_miner.sidecar.app import build_app


def run_sidecar(  # noqa: PLR0913 -- a process' options
    miner: str, super_node: str, host: str, port: int, run_file: Path | None, *, log_json: bool
) -> None:
    """Serve until SIGTERM or SIGINT."""
    configure_logs("sidecar", as_json=log_json)
    uvloop.run(serve(build_app(miner, super_node), bind(host, port), run_file))
