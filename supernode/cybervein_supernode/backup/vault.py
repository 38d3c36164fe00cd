"""Where snapshots are kept: a few calls that a directory and a bucket can both answer.

A file is there whole or not at all, so a reader never meets a half-written one. Names are paths
with slashes below the vault's root.
"""

from pathlib import Path
from typing import Final, Protocol

from cybervein_protocol.errors import MalformedError

BUCKET: Final = "s3://"


class Vault(Protocol):
    """Raises StorageError (UnavailableError where it does not answer) naming the vault."""

    @property
    def what(self) -> str:
        """The vault in words."""
        ...

    def scratch(self, directory: Path) -> Path:
        """Where a file is prepared that will be `put`; `directory` is the super node's."""
        ...

    def names(self, under: str) -> list[str]:
        """Everything below a folder, sorted; empty where there is no such folder."""
        ...

    def put(self, name: str, source: Path) -> None:
        """Take the file `source` over as `name`, durably; the source is gone then."""
        ...

    def read(self, name: str, bytes_max: int) -> bytes:
        """A small file. Raises UnknownError where it is not there, LimitError."""
        ...

    def fetch(self, name: str, into: Path) -> None:
        """Write a file's bytes to `into`. Raises UnknownError."""
        ...

    def digest(self, name: str) -> str:
        """BLAKE3 of the bytes that are kept, read again, in hex."""
        ...

    def drop(self, name: str) -> None:
        """Forget a file; it may be gone already."""
        ...


def open_vault(target: str) -> Vault:
    """The vault at a directory or `s3://BUCKET[/PREFIX]`. Raises MalformedError."""
    if target.startswith(BUCKET):
        from cybervein_supernode.backup.bucket import open_bucket  # noqa: PLC0415 -- its library is large

        return open_bucket(target)
    if "://" in target:
        raise MalformedError(f"{target}: expected a directory or s3://BUCKET/PREFIX")
    from cybervein_supernode.backup.folder import FolderVault  # noqa: PLC0415 -- as above

    return FolderVault(Path(target))
