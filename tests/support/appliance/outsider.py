"""A customer who is not in the cluster: the command itself, on this machine, with its own home.

It knows what a person was handed, the network's file, and reaches super node and miners by the
addresses that they publish. Cluster names mean nothing to it.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_bytes
from typing import Any

from cluster.kubectl import Kubectl
from cybervein_protocol.signing import address
from cybervein_runtime.identity import Identity, identity_json
from process import Process
from waiting import DEADLINE_SECONDS

PROGRAM = Path(sys.executable).with_name("cybervein")
EPOCHS = 2_000


class OutsiderError(AssertionError):
    """The command failed; its text is what it printed."""


@dataclass
class Outsider:
    """A wallet and its files, below `home`."""

    home: Path
    identity: Identity

    def __post_init__(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        secret = self.home / "identity.json"
        secret.write_bytes(identity_json(self.identity))
        secret.chmod(0o600)

    @property
    def address(self) -> str:
        """Where the genesis funds go."""
        return address(self.identity.keys.public)

    def take_network(self, kubectl: Kubectl, network: str) -> str:
        """Fetch `network.json` as docs/home-cluster.md says, keep it, and return it."""
        path = "jsonpath={.data.network\\.json}"
        text = kubectl("get", "configmap", f"{network}-network", "--output", path)
        (self.home / "network.json").write_text(text)
        return text

    def cybervein(self, *arguments: str | Path) -> Any:
        """A command with `--json`, what it printed."""
        run = subprocess.run(
            [PROGRAM, "--json", *arguments],
            env={**os.environ, "CYBERVEIN_HOME": str(self.home)},
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
            check=False,
        )
        if run.returncode != 0:
            raise OutsiderError(f"cybervein {' '.join(map(str, arguments))}: {run.stderr[-3000:]}")
        return json.loads(run.stdout)

    def put(self, name: str, size_bytes: int, *options: str) -> None:
        """Make a file of random bytes and store it."""
        original = self.home / f"{name}.original"
        original.write_bytes(token_bytes(size_bytes))
        self.cybervein("put", original, "--name", name, "--epochs", str(EPOCHS), *options)

    def reads_back(self, name: str) -> bool:
        """Get the file anew: whether every byte is the one that was stored."""
        copy = self.home / f"{name}.copy"
        copy.unlink(missing_ok=True)
        self.cybervein("get", name, "--out", copy)
        return copy.read_bytes() == (self.home / f"{name}.original").read_bytes()


@contextmanager
def guests(customer: Outsider, address: str, count: int) -> Iterator[None]:
    """Miners without a cluster, at `address` of this machine, in the customer's network."""
    with ExitStack() as stack:
        for number in range(count):
            guest = _guest(customer.home, address, f"guest-{number}")
            stack.callback(guest.stop)
            guest.start()
        yield


def _guest(home: Path, address: str, name: str) -> Process:
    disk = home / name / "disk"
    disk.mkdir(parents=True)
    options = {
        "--network": home / "network.json",
        "--data": home / name / "data",
        "--disk": disk,
        "--plots": "2",
        "--plot-threads": "1",
        "--host": address,
        "--port": "0",
        "--group": name,
        "--owner": name,
    }
    flags = [part for option in options.items() for part in option]
    return Process(name, [PROGRAM, "mine", *flags, "--log-json"], home)
