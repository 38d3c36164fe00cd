"""Facts of the scripted run's report: where it ran, what moved, and why a proof was missed."""

import os
import platform
import shutil
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from cybervein_up.snapshot import MinerState


@dataclass(frozen=True, slots=True)
class Machine:
    """What the run had: cores it may use, memory, and the filesystem of its data."""

    system: str
    python: str
    cores: int
    memory_bytes: int
    disk_bytes: int
    disk_free_bytes: int


@dataclass(frozen=True, slots=True)
class MovedShard:
    """A shard that another miner holds now; miners by name."""

    deal: str
    segment: int
    index: int
    root: str
    lost_by: str
    held_by: str


@dataclass(frozen=True, slots=True)
class MissedProof:
    """An epoch for which a miner owed a proof that the ledger did not get."""

    epoch: int
    miner: str
    why: str


def machine_of(data: Path) -> Machine:
    """This machine, as the processes of the run find it."""
    disk = shutil.disk_usage(data)
    return Machine(
        system=platform.platform(),
        python=platform.python_version(),
        cores=len(os.sched_getaffinity(0)),
        memory_bytes=os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
        disk_bytes=disk.total,
        disk_free_bytes=disk.free,
    )


def release() -> str:
    """The version that ran."""
    return version("cybervein")


def why_missed(miner: MinerState, killed: str) -> str:
    """The reason as far as it is known: what was done to the miner, else its own word."""
    if miner.name == killed:
        return "the run had killed it"
    if not miner.running:
        return f"its process had ended; see logs/{miner.name}.log"
    own = f"by its own count {miner.proofs_missed} missed, {miner.proofs_refused} refused"
    return f"{miner.problem or 'it was late'} ({own}); see logs/{miner.name}.log"
