"""What a person decides about a miner, once, at its start."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cybervein_protocol.names import PublicKey

from cybervein_miner.plot.policy import Wish

TRASH_SECONDS: Final = 24 * 3600


def default_threads() -> int:
    """All cores but one, which is for shards and proofs."""
    return max(1, (os.cpu_count() or 1) - 1)


@dataclass(frozen=True, slots=True)
class Settings:
    """`url` is what others call this miner by; "" means the address it listens on.

    `payout` None means whoever was paid before, `own_payout` this miner's own account again.

    `control` may rule this miner from anywhere, `identity` names keys outside `data`, `bandwidth`
    caps shard and plot traffic in bytes per second, `rebuild_journal` sets a damaged one aside,
    `limits` are files that say how much of each disk may be used.
    """

    data: Path
    network: Path
    disks: tuple[Path, ...] = ()
    wish: Wish = field(default_factory=Wish)
    floor: int | None = None
    payout: PublicKey | None = None
    own_payout: bool = False
    group: str = ""
    owner: str = ""
    url: str = ""
    super_node: str = ""
    plot_threads: int = field(default_factory=default_threads)
    trash_seconds: int = TRASH_SECONDS
    scrub_bytes_per_second: int = 8 << 20
    control: PublicKey | None = None
    identity: Path | None = None
    bandwidth: int | None = None
    rebuild_journal: bool = False
    limits: tuple[Path, ...] = ()

    @property
    def identity_file(self) -> Path:
        """This miner's keys, where they are made if there are none."""
        return self.data / "identity.json"

    @property
    def owner_file(self) -> Path:
        """The address that `data` belongs to."""
        return self.data / "miner.address"

    @property
    def payout_file(self) -> Path:
        """The account that was asked for last."""
        return self.data / "payout.address"

    @property
    def journal_file(self) -> Path:
        """What this miner must not forget."""
        return self.data / "miner.sqlite"

    @property
    def run_file(self) -> Path:
        """Where it listens, while it runs."""
        return self.data / "run.json"
