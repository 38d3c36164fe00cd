"""What this miner last saw of its network: the epochs' loop writes it, everybody else reads it."""

import sqlite3
from dataclasses import dataclass
from typing import Final

from cybervein_protocol.api.super_node.network import NetworkDocument

from cybervein_miner.record.journal import Journal

_NAME: Final = "epoch"


class Sight:
    """`view` is the last answer of a super node, `reachable` whether the last call had one."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        seen = journal.read("SELECT value FROM counter WHERE name = ?", (_NAME,))
        self.before = int(seen[0][0]) if seen else 0
        """The last epoch that was heard of before this start; 0 if none was."""
        self.view: NetworkDocument | None = None
        self.reachable: bool | None = None

    @property
    def heard(self) -> int:
        """The open epoch as far as known; 0 before the first contact."""
        return self.view.epoch if self.view else 0

    @property
    def epoch(self) -> int:
        """The open epoch; after a restart at least the last one heard of, so that none returns."""
        return max(self.heard, self.before)

    @property
    def known(self) -> bool:
        """An epoch that was heard before a restart is as good: orders are judged by the later."""
        return self.view is not None or self.before > 0

    @property
    def away(self) -> bool:
        """Whether a super node was asked and did not answer."""
        return self.reachable is False

    def now(self) -> NetworkDocument | None:
        """The view while a super node answers."""
        return self.view if self.reachable else None

    async def remember(self, epoch: int) -> None:
        """Keep the epoch for the next start."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute("INSERT OR REPLACE INTO counter VALUES (?, ?)", (_NAME, epoch))

        await self._journal.write(work, durable=False)


@dataclass(frozen=True, slots=True)
class LedgerTime:
    """Seconds that the ledger's epochs have taken: what is stored and compared over days.

    No clock is in it. It outlives restarts, moves on with the epochs alone, and is coarse by one of
    them. It is never 0, which in the journal means never.
    """

    sight: Sight
    epoch_seconds: int

    def __call__(self) -> int:
        """Now."""
        return max(1, self.sight.epoch * self.epoch_seconds)
