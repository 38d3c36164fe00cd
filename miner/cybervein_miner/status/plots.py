"""What a miner tells of its plots, finished and in the making."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from cybervein_protocol.api.miner.status import PlotInTheMaking

from cybervein_miner.plot.inventory import Inventory, OwnPlot, PlotState
from cybervein_miner.plot.plotter import Plotter

AWAY: Final = "away"


@dataclass(kw_only=True, eq=False)
class PlotBoard:
    """Counts plots from the parts."""

    inventory: Inventory
    plotter: Plotter

    def by_state(self) -> dict[str, int]:
        """How many are in each state, without files that were left on a drained disk.

        Those on a disk that cannot be read now are `away`, whatever the ledger makes of them.
        """
        disks = self.inventory.rack.disks
        drained = {disk.id for disk in disks if disk.drained}
        away = {disk.id for disk in disks if not disk.readable}
        rows = [row for row in self.inventory.rows() if row.disk not in drained]
        count = Counter(AWAY if row.disk in away else row.state.value for row in rows)
        return {state: count[state] for state in (*(each.value for each in PlotState), AWAY)}

    def provable(self, rows: Iterable[OwnPlot]) -> int:
        """How many of these can be read now."""
        readable = {disk.id for disk in self.inventory.rack.disks if disk.readable}
        return sum(row.disk in readable for row in rows)

    def running(self) -> list[PlotInTheMaking]:
        """Those in the making."""
        return [
            PlotInTheMaking(each.number, each.disk, each.done / max(1, each.total))
            for each in self.plotter.running.values()
        ]

    def left_seconds(self) -> float | None:
        """Until all that are wanted are made."""
        return self.plotter.forecast.left_seconds(self.plotter.now())
