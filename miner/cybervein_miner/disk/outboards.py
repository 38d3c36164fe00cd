"""Outboards beside shards and plots: one that is lost or damaged is made again from the bytes.

It holds nothing that the bytes do not, and is never trusted: whatever is made of it is verified
under the root. So damage costs one reading of the whole file, at the read that met it or at the
scrub.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path

import structlog
from cybervein_protocol.errors import StorageError
from cybervein_protocol.tree import OutboardError
from cybervein_runtime.files import write_atomic

from cybervein_miner.disk.aside import Aside
from cybervein_miner.record.tally import Tally
from cybervein_miner.record.tree_file import (
    expect_root,
    file_tree,
    outboard_path,
    read_outboard,
)

_log = structlog.get_logger()


@dataclass(eq=False, slots=True)
class Outboards:
    """Reads and mends them; methods block and belong inside the guard of the file's disk."""

    tally: Tally
    _aside: Aside = field(default_factory=Aside)

    def read(self, path: Path) -> bytes:
        """The outboard of a file. Raises OutboardError where it cannot be read: it is no loss."""
        try:
            return read_outboard(path)
        except OSError as error:
            raise OutboardError(f"{outboard_path(path)}: {error.strerror}") from error

    def mend(self, path: Path, root: bytes) -> bytes:
        """Compute it anew. Raises ProofError if the bytes are not the root's, and OSError."""
        actual, outboard = file_tree(path)
        expect_root(path, actual, root)
        self.keep(path, outboard)
        return outboard

    def keep(self, path: Path, outboard: bytes) -> None:
        """Have just this outboard, which was verified, beside the file; nothing where it is so."""
        try:
            found = self._found(path)
            if found == outboard:
                return
            _replace(path, outboard)
        except (StorageError, OSError) as error:
            self._refused(path, error)
            return
        self._aside.done(path)
        self.tally.outboards_mended += 1
        was = "lost" if found == b"" else "damaged"
        _log.warning("outboard is made again", file=str(outboard_path(path)), was=was)

    def _found(self, path: Path) -> bytes | None:
        """What lies there, b"" without a file; None cannot be read."""
        try:
            return read_outboard(path)
        except OSError:
            return None

    def _refused(self, path: Path, error: Exception) -> None:
        """Its disk is full or read-only: it is computed for each read, and that is said once."""
        if self._aside.failed(path):
            _log.warning(
                "outboard cannot be kept; each read computes it",
                file=str(outboard_path(path)),
                error=str(error),
            )


def _replace(path: Path, outboard: bytes) -> None:
    """Under a temporary name, synced, renamed; a file that went meanwhile gets none."""
    beside = outboard_path(path)
    if not outboard:
        beside.unlink(missing_ok=True)
        return
    write_atomic(beside, outboard)
    if not os.path.lexists(path):
        beside.unlink(missing_ok=True)
