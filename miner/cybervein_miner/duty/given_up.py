"""Files that a disk gave up as unreadable, told to those whose files they are.

A shard is bad from then on: audits of it are answered with admitted loss, and it is repaired
elsewhere. A plot is bad too: it is retired on the ledger, deleted and made again. An outboard is
made again.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog
from cybervein_protocol.errors import ProofError, StorageError

from cybervein_miner.disk.disk import Disk
from cybervein_miner.plot.inventory import Inventory, OwnPlot, PlotState, metadata_path, plot_path
from cybervein_miner.record.tree_file import OUTBOARD_SUFFIX
from cybervein_miner.shard.index import HeldShard, ShardState
from cybervein_miner.shard.layout import shard_path
from cybervein_miner.shard.store import ShardStore

_GOING: Final = (PlotState.BAD, PlotState.RETIRING)
_SHARD: Final = re.compile("[0-9a-f]{64}")
_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True, eq=False)
class GivenUp:
    """Looks up whose the files are; `tell` blocks."""

    store: ShardStore
    inventory: Inventory

    def tell(self, disk: Disk) -> None:
        """Set aside what of the disk's shards and plots cannot be read; one event for all of it."""
        files = frozenset(map(Path, disk.failures.given_up))
        if not files:
            return
        shards, plots = self._shards(disk, files), self._plots(disk, files)
        for row in shards:
            self.store.reader.mark(row, ShardState.BAD)
        self.inventory.set_bad(plots)
        self._mend(disk, files)
        _log.error(
            "files that cannot be read are set aside; the rest of the disk works on",
            path=str(disk.path),
            files=len(files),
            shards=len(shards),
            plots=[row.number for row in plots],
            next_step="look at the kernel's log; a disk that loses more files is to be replaced",
        )

    def _shards(self, disk: Disk, files: frozenset[Path]) -> list[HeldShard]:
        """Held ones among the files."""
        found = [self.store.index.find(root) for root in _roots(files)]
        rows = [row for row in found if row is not None and row.held and row.disk == disk.id]
        return [row for row in rows if shard_path(disk, row.root) in files]

    def _plots(self, disk: Disk, files: frozenset[Path]) -> list[OwnPlot]:
        here = [row for row in self.inventory.rows() if row.disk == disk.id]
        paths = {row.number: plot_path(disk, row.number) for row in here}
        return [
            row
            for row in here
            if row.state not in _GOING
            and not files.isdisjoint({paths[row.number], metadata_path(paths[row.number])})
        ]

    def _mend(self, disk: Disk, files: frozenset[Path]) -> None:
        """Outboards among the files: what they belong to is there."""
        bodies = {f.with_suffix("") for f in files if f.suffix == OUTBOARD_SUFFIX}
        roots = {plot_path(disk, row.number): row.gamma for row in self.inventory.rows()}
        roots |= {shard_path(disk, root): root for root in _roots(bodies)}
        for path in bodies & roots.keys():
            try:
                with disk.guard("make an outboard again", None, path):
                    self.store.reader.outboards.mend(path, roots[path])
            except (StorageError, ProofError, FileNotFoundError) as error:
                _log.warning("outboard is not made again", file=str(path), error=str(error))


def _roots(files: Iterable[Path]) -> list[bytes]:
    """Of those that are named as shards are."""
    return [bytes.fromhex(file.name) for file in files if _SHARD.fullmatch(file.name)]
