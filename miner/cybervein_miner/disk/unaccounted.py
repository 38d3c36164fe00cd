"""Plots that the ledger counts and no disk here has: why an empty path is not claimed.

A journal that was lost, or an old one, does not know which disks there were. If one of them is not
mounted as well, its bare mount point looks like a new disk: claimed, it would be filled on the
wrong filesystem, and the plots on the real one would be retired as lost. So what has no marker is
claimed only once every plot that counts is on a disk that is known here, or a person says that it
is new. Where the ledger gives no answer, a journal is believed that has had one before, or that
was there when its miner's keys were made.
"""

import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from cybervein_protocol.errors import ConflictError

from cybervein_miner.record.journal import Journal

_DOUBT: Final = "journal is in doubt"


class Unaccounted:
    """`plots` is how many; None until the ledger was compared with the disks of an older miner.

    `then` is called when there turn out to be none.
    """

    then: Callable[[], None]

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._doubted = False
        self.plots: int | None = 0
        self.then = lambda: None

    def ask(self) -> None:
        """The keys are older than this moment: the ledger may count plots of theirs."""
        self.plots = None
        [(disks, doubt)] = self._journal.read(
            "SELECT (SELECT count(*) FROM disk), (SELECT count(*) FROM counter WHERE name = ?)",
            (_DOUBT,),
        )
        self._doubted = not disks or bool(doubt)
        if self._doubted and not doubt:
            self._journal.write_now(partial(_doubt, doubted=True))

    def learn(self, plots: int) -> None:
        """The ledger was compared with the disks."""
        if not plots and self._doubted:
            self._doubted = False
            self._journal.write_now(partial(_doubt, doubted=False))
        news, self.plots = self.plots != plots, plots
        if news and not plots:
            self.then()

    def without_answer(self) -> None:
        """The ledger cannot be asked now: a journal that is in no doubt is believed."""
        if self.plots is None and not self._doubted:
            self.learn(0)

    def require_none(self, path: Path) -> None:
        """Raise ConflictError, with the next step, unless there are none."""
        say = f"`cybervein disk add {path} --as-new` if it is a new disk"
        if self.plots is None:
            raise ConflictError(
                f"{path} has no marker and is not claimed before the ledger has said whether plots "
                f"of this miner are on a disk that is not mounted; wait for it, or {say}"
            )
        if self.plots:
            raise ConflictError(
                f"{path} has no marker, and {self.plots} plots of this miner that count are on no "
                f"disk here: is its disk mounted? Mount it, or {say}: then they are retired"
            )


def _doubt(connection: sqlite3.Connection, *, doubted: bool) -> None:
    connection.execute("DELETE FROM counter WHERE name = ?", (_DOUBT,))
    if doubted:
        connection.execute("INSERT INTO counter VALUES (?, 1)", (_DOUBT,))
