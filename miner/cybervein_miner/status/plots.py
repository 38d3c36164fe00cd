"""What a miner tells of its plots, finished and in the making."""

from collections import Counter
from dataclasses import dataclass

from cybervein_protocol.api.miner.status import PlotInTheMaking

from cybervein_miner.plot.inventory import Inventory, PlotState
from cybervein_miner.plot.plotter import Plotter


@dataclass(kw_only=True, eq=False)
class PlotBoard:
    """Counts plots from the parts."""

    inventory: Inventory
    plotter: Plotter

    def by_state(self) -> dict[str, int]:
        """How many are in each state, without files that were left on a drained disk."""
        drained = {disk.id for disk in self.inventory.rack.disks if disk.drained}
        rows = self.inventory.rows()
        count = Counter(row.state for row in rows if row.disk not in drained)
        return {state.value: count[state] for state in PlotState}

    def running(self) -> list[PlotInTheMaking]:
        """Those in the making."""
        return [
            PlotInTheMaking(each.number, each.disk, each.done / max(1, each.total))
            for each in self.plotter.running.values()
        ]
