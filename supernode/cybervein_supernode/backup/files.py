"""What a snapshot is made of."""

from dataclasses import dataclass
from pathlib import Path

from cybervein_protocol.ledger.units.genesis import Genesis


@dataclass(frozen=True, slots=True)
class LedgerFiles:
    """The files of a super node's directory that are copied, and its network."""

    directory: Path
    ledger: Path
    notebook: Path
    evidence: Path
    network: Path
    genesis: Genesis
