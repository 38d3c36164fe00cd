"""A miner that does not run yet is waited for: a service is started before or after another."""

import time
from pathlib import Path
from typing import Final

import structlog

from cybervein_miner.sidecar.announced import absent

PATIENCE_SECONDS: Final = 30.0
"""For a miner that is started in the same moment to make its data directory."""
_LOOK_SECONDS: Final = 0.2
_MINERS: Final = frozenset({"run.json", "miner.address", "miner.sqlite"})
_NOBODYS: Final = frozenset(
    {"lock", "identity.json", "network.json", "sidecar.json", "sidecar.lock"}
)
_log = structlog.get_logger()


def expect_miner(data: Path, patience_seconds: float = PATIENCE_SECONDS) -> None:
    """Return once `data` is a miner's, whether that runs just now or not; that it waits is said.

    Raises UnavailableError for a directory that nobody has made so after `patience_seconds`, and at
    once for somebody else's.
    """
    files, give_up = _files(data), time.monotonic() + patience_seconds
    if not _elses(files):
        _log.warning("waiting for the miner", reason=str(absent(data)))
    while not files & _MINERS:
        if _elses(files) or time.monotonic() >= give_up:
            raise absent(data)
        time.sleep(_LOOK_SECONDS)
        files = _files(data)


def _elses(files: frozenset[str]) -> bool:
    """Whether there are some, and none of a miner's."""
    return bool(files - _NOBODYS) and not files & _MINERS


def _files(data: Path) -> frozenset[str]:
    """Names of its files but hidden ones and logs; disks may lie in it as folders."""
    try:
        each = list(data.iterdir())
    except FileNotFoundError:
        return frozenset()
    files = (path for path in each if path.is_file() and path.suffix != ".log")
    return frozenset(path.name for path in files if not path.name.startswith("."))
