"""Where a super node lives on disk, and what it was told on the command line."""

from dataclasses import dataclass
from pathlib import Path

from cybervein_protocol.ledger.units.genesis import Genesis

from cybervein_supernode.backup.files import LedgerFiles


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
    def restored(self) -> Path:
        """Of which snapshot the ledger is, where it was restored."""
        return self.directory / "restored.json"

    def files(self, genesis: Genesis) -> LedgerFiles:
        """What a snapshot is made of."""
        return LedgerFiles(
            self.directory, self.ledger, self.notebook, self.evidence, self.network, genesis
        )

    @property
    def run_file(self) -> Path:
        """`{"pid", "url"}` while it serves."""
        return self.directory / "run.json"
