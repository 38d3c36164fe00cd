"""Whether this miner was asked to be relieved of everything: durable, and what the ledger says.

While it drains it takes nothing new, its plots are retired on the ledger (their files stay), and
super nodes move its shards elsewhere. `Standing` has the ledger's side; `drained` is the one word
that whoever wants to stop this miner for good has to wait for.

A deal that is still being uploaded counts, too: its commit may name a shard that was acknowledged
here, and only then can that be moved. Until it is committed or over, this miner is needed.
"""

import sqlite3
from typing import Final

from cybervein_protocol.api.miner.drain import DrainDocument, DrainProgress

from cybervein_miner.chain.sight import Sight
from cybervein_miner.chain.standing import Standing
from cybervein_miner.record.journal import Journal

_NAME: Final = "drain"


class Drain:
    """What was asked for, and how far it is."""

    def __init__(self, journal: Journal, standing: Standing, sight: Sight) -> None:
        self._journal, self._standing, self._sight = journal, standing, sight
        rows = journal.read("SELECT value FROM counter WHERE name = ?", (_NAME,))
        self.known = bool(rows)
        """Whether anybody ever decided here; a lost journal asks the ledger instead."""
        self.wanted = bool(rows and rows[0][0])

    def ask(self, *, draining: bool) -> None:
        """Remember the wish; the ledger's loop follows it."""

        def work(connection: sqlite3.Connection) -> None:
            values = (_NAME, int(draining))
            connection.execute("INSERT OR REPLACE INTO counter VALUES (?, ?)", values)

        self._journal.write_now(work)
        self.known, self.wanted = True, draining

    @property
    def final(self) -> bool:
        """Whether the ledger has the wish; one that never knew this miner needs no unit."""
        standing = self._standing
        return self.wanted and (standing.unknown or standing.draining)

    @property
    def drained(self) -> bool:
        """Whether the ledger no longer needs this miner."""
        standing = self._standing
        needed = (standing.held_shards, standing.plots_live, standing.promised)
        return self.final and (standing.unknown or needed == (0, 0, 0))

    def document(self) -> DrainDocument:
        """How far it is."""
        standing = self._standing
        progress = DrainProgress(
            final=self.final,
            plots_live=standing.plots_live,
            remaining=standing.remaining if self.wanted else 0,
            blocked_by=self._blocked_by(),
            promised=standing.promised if self.wanted else 0,
        )
        return DrainDocument(
            v=1,
            held_shards=standing.held_shards,
            draining=self.wanted,
            drained=self.drained,
            drain=progress,
        )

    def _blocked_by(self) -> str:
        """Why it makes no progress, as far as anybody knows; "" while it does."""
        if not self.wanted or self.drained:
            return ""
        away = "no super node answers" if self._sight.away else ""
        return away or self._standing.blocked_by or self._standing.problem
