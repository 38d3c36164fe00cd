"""`python -m cybervein_miner.sidecar`: the sidecar alone, without the command line's imports.

It idles beside every miner, so its memory counts: `cybervein sidecar` becomes this process.
"""

import argparse
from pathlib import Path

from cybervein_runtime.command_line import carry_out

from cybervein_miner.sidecar.running import run_sidecar


def main(arguments: list[str] | None = None) -> None:
    """Parse the command line, or these arguments, and run."""
    parser = argparse.ArgumentParser(prog="python -m cybervein_miner.sidecar")
    parser.add_argument("--miner", default="")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--supernode", default="")
    parser.add_argument("--network", type=Path)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--run-file", type=Path)
    parser.add_argument("--log-json", action="store_true")
    given = parser.parse_args(arguments)
    run_sidecar(
        miner=given.miner,
        data=given.data,
        super_node=given.supernode,
        network=given.network,
        host=given.host,
        port=given.port,
        run_file=given.run_file,
        log_json=given.log_json,
    )


if __name__ == "__main__":
    carry_out(main)
