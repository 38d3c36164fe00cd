"""Trash that cannot be removed: set aside, tried again ever more seldom, and counted apart.

It frees nothing, so nobody may be told that it does, and it never hides what can be removed.
"""

from dataclasses import dataclass, field

import structlog

from cybervein_miner.disk.aside import Aside
from cybervein_miner.shard.index import HeldShard, ShardIndex, ShardState

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class TrashSum:
    """So many shards of the trash, and their bytes."""

    shards: int
    bytes: int


@dataclass(eq=False, slots=True)
class StuckTrash:
    """Rows whose files could not be removed since the start, by disk."""

    index: ShardIndex
    _aside: Aside = field(default_factory=Aside)
    _rows: dict[str, dict[bytes, int]] = field(default_factory=dict)

    def on(self, disk: str) -> TrashSum:
        """All of a disk, however many."""
        sizes = tuple(self._rows.get(disk, {}).values())
        return TrashSum(len(sizes), sum(sizes))

    def waits(self, row: HeldShard) -> bool:
        """Whether it is too early for another try."""
        return self._aside.waits(row.root)

    def add(self, row: HeldShard, error: str) -> None:
        """It could not be removed; said once."""
        self._rows.setdefault(row.disk, {})[row.root] = row.size
        if self._aside.failed(row.root):
            _log.warning("trash is set aside and tried again later", error=error)

    def done(self, row: HeldShard) -> None:
        """It went."""
        self._aside.done(row.root)
        self._rows.get(row.disk, {}).pop(row.root, None)

    def forget(self, disk: str) -> None:
        """Drop what is trash of this disk no more: it was sent again, or moved."""
        here = self._rows.get(disk, {})
        for root in tuple(here):
            row = self.index.find(root)
            if row is None or (row.disk, row.state) != (disk, ShardState.TRASH):
                here.pop(root, None)
