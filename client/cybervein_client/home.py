"""Where a user's things are: one directory, `--home` or CYBERVEIN_HOME, default `~/.cybervein`."""

import os
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cybervein_protocol.errors import StorageError, UnknownError

if TYPE_CHECKING:
    from cybervein_runtime.identity import Identity
    from cybervein_runtime.network_file import NetworkFile


@dataclass(frozen=True, slots=True)
class Home:
    """Paths of the identity (wallet), the network file and the catalogue."""

    directory: Path

    @property
    def identity_path(self) -> Path:
        """The wallet's secret keys, mode 0600."""
        return self.directory / "identity.json"

    @property
    def network_path(self) -> Path:
        """The network this home belongs to."""
        return self.directory / "network.json"

    @property
    def catalogue_path(self) -> Path:
        """Names, file keys and deals of the stored files."""
        return self.directory / "catalogue.sqlite"

    @property
    def lock_path(self) -> Path:
        """Held while an account's nonce is taken, so that two commands never take the same."""
        return self.directory / "wallet.lock"

    def writing(self, name: str, doing: str) -> AbstractContextManager[None]:
        """One command at a time writes one file of the catalogue; others run beside it.

        Raises ConflictError naming the process that does, StorageError in a home that is only read.
        """
        from blake3 import blake3  # noqa: PLC0415 -- nothing is written by `ls`
        from cybervein_runtime.lock import alone_briefly  # noqa: PLC0415

        self.require_writable(doing)
        lock = f"{blake3(name.encode()).hexdigest(length=8)}.lock"
        holder, remedy = f"{doing} of {name!r}", "wait until it ends, or stop it"
        return alone_briefly(self.directory / "writing", holder, lock, remedy)

    @property
    def read_only(self) -> bool:
        """Whether this home can be read but not written."""
        from cybervein_runtime.files import writable  # noqa: PLC0415 -- help is shown without

        return self.directory.is_dir() and not writable(self.catalogue_path)

    def require_writable(self, doing: str) -> None:
        """Raise StorageError, before anything is done or paid, where this home is only read."""
        if self.read_only:
            raise StorageError(
                f"{self.directory} cannot be written, and {doing} has to write there; nothing was "
                "done: change its permissions or mount, or name a copy of it with --home"
            )

    def expect_wallet(self) -> None:
        """Raise UnknownError, saying how to make one, where there is no wallet."""
        self._expect_directory()
        if not self.identity_path.exists():
            raise UnknownError(
                f"no wallet in {self.directory}; run `cybervein wallet new` "
                "or `cybervein wallet restore`"
            )

    def _expect_directory(self) -> None:
        if self.directory.is_file():
            raise StorageError(f"{self.directory} is a file; name a directory with --home")

    def identity(self) -> "Identity":
        """The wallet. Raises UnknownError saying how to make one."""
        from cybervein_runtime.identity import load_identity  # noqa: PLC0415 -- brings cryptography

        self.expect_wallet()
        return load_identity(self.identity_path)

    def network(self) -> "NetworkFile":
        """The network. Raises UnknownError saying how to join one."""
        from cybervein_runtime.network_file import load_network  # noqa: PLC0415 -- and the ledger

        self._expect_directory()
        if not self.network_path.exists():
            raise UnknownError(
                f"no network file in {self.directory}; copy the network's network.json there"
            )
        return load_network(self.network_path)


def default_home() -> Home:
    """The home that CYBERVEIN_HOME names, else `~/.cybervein`."""
    return Home(Path(os.environ.get("CYBERVEIN_HOME") or Path.home() / ".cybervein"))
