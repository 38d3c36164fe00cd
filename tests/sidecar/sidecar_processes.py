"""Real processes of a small network with a sidecar."""

from pathlib import Path

from processes import Process, miner, super_node, until

__all__ = ["Process", "miner", "sidecar", "super_node", "until"]


def sidecar(run_file: Path, miner_url: str, super_node_url: str) -> Process:
    """A sidecar, not started."""
    return Process(
        run_file, "sidecar", "--miner", miner_url, "--supernode", super_node_url,
        "--run-file", str(run_file),
    )  # fmt: skip
