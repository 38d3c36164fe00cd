"""Plots whose slice proved nothing: read whole, as either the outboard is damaged or the plot is.

A proof has no time to find out. An outboard is made again in seconds, a plot in hours: so none is
given up before its bytes were looked at.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import structlog
from cybervein_protocol.errors import CyberVeinError, ProofError, StorageError

from cybervein_miner.disk.outboards import Outboards
from cybervein_miner.disk.threads import Lanes
from cybervein_miner.plot.inventory import Inventory, OwnPlot

SETTLE_SECONDS_MAX: Final = 10.0
_log = structlog.get_logger()


@dataclass(eq=False, slots=True)
class PlotDoubts:
    """Settles what the inventory doubts, a plot of each disk at a time; methods block."""

    inventory: Inventory
    outboards: Outboards
    _lanes: Lanes = field(default_factory=lambda: Lanes("look at plots"))

    def settle(self) -> None:
        """Read the first doubted plot of each disk; what takes longer is left to its thread."""
        work = {disk: partial(self._settle, row) for disk, row in self._next().items()}
        self._lanes.run(work, SETTLE_SECONDS_MAX)

    def _next(self) -> Mapping[str, OwnPlot]:
        if not self.inventory.doubted:
            return {}
        rows = self.inventory.rows()
        self.inventory.doubted &= {row.number for row in rows}
        return {row.disk: row for row in reversed(rows) if row.number in self.inventory.doubted}

    def _settle(self, row: OwnPlot) -> None:
        try:
            disk, path = self.inventory.path(row)
            with disk.guard(f"read all of plot {row.number}", None, path):
                self.outboards.mend(path, row.gamma)
        except (FileNotFoundError, ProofError) as error:
            self._bad(row, error)
        except StorageError as error:
            if not disk.readable:
                return  # its disk is away, which is one event of the disk
            self._bad(row, error)
        except CyberVeinError:
            pass  # its disk was given up
        self.inventory.doubted.discard(row.number)

    def _bad(self, row: OwnPlot, error: Exception) -> None:
        _log.error("plot is bad and will be made again", plot=row.number, error=str(error))
        self.inventory.set_bad([row])
