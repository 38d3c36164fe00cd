"""Where a super node lives on disk, and what it was told on the command line."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class SuperNodeHome:
    """The files of a super node under one directory."""

    directory: Path

    @property
    def identity(self) -> Path:
        """Secret keys, mode 0600."""
        return self.directory / "identity.json"

    @property
    def network(self) -> Path:
        """What others join by; holds the genesis."""
        return self.directory / "network.json"

    @property
    def ledger(self) -> Path:
        """The chain."""
        return self.directory / "ledger.sqlite"

    @property
    def notebook(self) -> Path:
        """What only this super node knows."""
        return self.directory / "notebook.sqlite"

    @property
    def evidence(self) -> Path:
        """Bytes behind verdicts, by epoch."""
        return self.directory / "evidence"

    @property
    def run_file(self) -> Path:
        """`{"pid", "url"}` while it serves."""
        return self.directory / "run.json"
