"""Where everything of the embedded network lives below one data directory.

DATA/up.lock                 held by the one running `up`
DATA/ports.json              ports of the last run, taken again so that addresses stay
DATA/network.json            what miners and clients join by
DATA/wallet/                 the local client's home (identity, catalogue)
DATA/supernode/              super node: identity, ledger, evidence
DATA/miner-N/{data,disk}     a miner's own directory, and the disk it mines on
DATA/miner-N/payout.json     the wallet it is paid to, apart from its hot key
DATA/logs/NAME.log           what each process logs
"""

import json
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from cybervein_runtime.files import write_atomic
from cybervein_runtime.lock import alone


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths of one embedded network."""

    data: Path

    @property
    def network_file(self) -> Path:
        """`network.json` with the super node's address of this run."""
        return self.data / "network.json"

    @property
    def wallet(self) -> Path:
        """The home directory of the local client."""
        return self.data / "wallet"

    @property
    def supernode(self) -> Path:
        """The super node's directory."""
        return self.data / "supernode"

    def miner(self, number: int) -> Path:
        """The directory of miner `number`, counted from 1."""
        return self.data / f"miner-{number}"

    def log(self, name: str) -> Path:
        """The log file of a process."""
        return self.data / "logs" / f"{name}.log"

    def lock(self) -> AbstractContextManager[None]:
        """Own the directory while the block runs. Raises ConflictError if another `up` does."""
        return alone(self.data, "`cybervein up`", "up.lock", "stop it or choose --data")

    def ports(self) -> dict[str, int]:
        """Ports of the last run by process name; empty where unknown."""
        try:
            document = json.loads((self.data / "ports.json").read_bytes())
            return {str(name): int(port) for name, port in document.items()}
        except (OSError, ValueError, AttributeError):
            return {}

    def save_ports(self, ports: dict[str, int]) -> None:
        """Remember the ports for the next run."""
        text = json.dumps(ports, indent=2, sort_keys=True) + "\n"
        write_atomic(self.data / "ports.json", text.encode(), mode=0o644)
