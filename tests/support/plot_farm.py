"""A rack with plots and a prover, without any network."""

import asyncio
from pathlib import Path

from cybervein_miner.disk.rack import Rack
from cybervein_miner.plot.adoption import take_in
from cybervein_miner.plot.inventory import Inventory, PlotState
from cybervein_miner.plot.plotter import Plotter
from cybervein_miner.plot.policy import Wish
from cybervein_miner.prover.space import SpaceProver
from cybervein_miner.record.journal import Journal
from cybervein_miner.record.tally import Tally
from cybervein_protocol.encoding import node_cid
from cybervein_protocol.presets import TEST
from cybervein_protocol.space import PlotShape
from cybervein_runtime.identity import Identity, new_identity

SHAPE = PlotShape(TEST.plot_rows_log2, TEST.plot_layers)
NETWORK = node_cid(b"\xa0")


class Farm:
    """A rack, an inventory and a plotter, without any network."""

    def __init__(
        self, folder: Path, *disks: Path, identity: Identity | None = None, wish: Wish | None = None
    ) -> None:
        self.identity = identity or new_identity()
        self.journal = Journal(folder / "miner.sqlite")
        self.rack = Rack(self.identity.keys, self.journal, floor=0)
        self.rack.open(disks)
        key = self.identity.keys
        self.inventory = Inventory(self.rack, self.journal, key.public, SHAPE)
        self.problems = take_in(self.inventory, key, self.rack.disks)
        self.tally = Tally()
        self.plotter = Plotter(key, self.inventory, wish or Wish(plots=3), 2, self.tally)
        self.prover = SpaceProver(NETWORK, self.identity, self.inventory)

    async def fill(self) -> None:
        """Plot until policy is satisfied."""
        task = asyncio.create_task(self.plotter.run())
        while not self.plotter.idle():
            await asyncio.sleep(0.01)
        self.plotter.stop()
        await task

    def more(self, plots: int) -> Plotter:
        """A plotter for that many in all."""
        return Plotter(self.identity.keys, self.inventory, Wish(plots=plots), 2, self.tally)

    def activate(self) -> None:
        self.inventory.set_state(
            self.inventory.rows(PlotState.MADE), PlotState.ACTIVE, b"\x09" * 32
        )

    def again(self, folder: Path) -> "Farm":
        """The same miner after a restart."""
        self.journal.close()
        return Farm(folder, *(d.path for d in self.rack.disks), identity=self.identity)
