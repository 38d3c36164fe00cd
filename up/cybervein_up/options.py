"""What a person chooses for the embedded network."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Flags of `cybervein up`; port 0 means the last run's port, or a free one.

    A port that is named is taken, or `up` does not start.
    """

    data: Path
    miners: int
    plots: int
    epoch_seconds: int | None
    preset: str
    host: str = "127.0.0.1"
    port: int = 0
    sidecars: bool = True


@dataclass(frozen=True, slots=True)
class Scenario:
    """The scripted run: store this file, live for so many epochs, write the report there."""

    file: Path
    epochs: int
    report: Path | None
