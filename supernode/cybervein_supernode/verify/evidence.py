"""Evidence: the bytes behind a verdict, kept off the ledger for the preset's window.

Units carry the BLAKE3 of their evidence. Here the bytes lie as `evidence/<epoch>/<hex>`, so that a
whole epoch is dropped by removing one directory, without an index.
"""

import shutil
from pathlib import Path

from blake3 import blake3
from cybervein_protocol.errors import UnknownError
from cybervein_runtime.files import read_limited, write_atomic

EVIDENCE_BYTES_MAX = 128 << 20


class EvidenceStore:
    """Write once, read by hash, forget by epoch."""

    def __init__(self, directory: Path, keep_epochs: int) -> None:
        self._directory = directory
        self._keep = keep_epochs
        directory.mkdir(parents=True, exist_ok=True)

    def keep(self, epoch: int, data: bytes) -> bytes:
        """Store `data` durably; its BLAKE3, 32 bytes. Raises StorageError."""
        digest = blake3(data).digest()
        path = self._directory / str(epoch) / digest.hex()
        if not path.exists():
            write_atomic(path, data, mode=0o644)
        return digest

    def read(self, digest: bytes) -> bytes:
        """The bytes of a digest. Raises UnknownError when they are not, or no longer, kept."""
        for epoch in self._epochs():
            path = self._directory / str(epoch) / digest.hex()
            if path.exists():
                data = read_limited(path, EVIDENCE_BYTES_MAX)
                if blake3(data).digest() == digest:
                    return data
        raise UnknownError(
            f"evidence {digest.hex()}: not kept here; evidence is kept for {self._keep} epochs"
        )

    def prune(self, epoch: int) -> list[int]:
        """Drop what is older than the window before `epoch`; the epochs dropped."""
        old = [kept for kept in self._epochs() if kept < epoch - self._keep]
        for kept in old:
            shutil.rmtree(self._directory / str(kept), ignore_errors=True)
        return old

    def _epochs(self) -> list[int]:
        """Epochs with evidence, newest first."""
        names = (path.name for path in self._directory.iterdir())
        return sorted((int(name) for name in names if name.isdigit()), reverse=True)
