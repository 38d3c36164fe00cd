"""A rack with plots and a prover, without any network."""

import asyncio
from pathlib import Path

from cybervein_miner.disk.rack import Rack
from cybervein_miner.plot.adoption import take_in
from cybervein_miner.plot.inventory import Inventory, PlotState
from cybervein_miner.plot.plotter import Plotter
from cybervein_miner.plot.policy import Wish
from cybervein_miner.prover.space import Challenge, SpaceProver
from cybervein_miner.record.journal import Journal
from cybervein_miner.record.tally import Tally
from cybervein_protocol import vrf
from cybervein_protocol.encoding import node_cid
from cybervein_protocol.messages import verify_space_proof
from cybervein_protocol.presets import TEST
from cybervein_protocol.space import PlotShape, decode_answer, verify_space_answer
from cybervein_runtime.identity import Identity, new_identity

SHAPE = PlotShape(TEST.plot_rows_log2, TEST.plot_layers)
NETWORK = node_cid(b"\xa0")
BEACON = b"\x42" * 32


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


def file_of(farm: Farm, number: int) -> Path:
    [row] = [row for row in farm.inventory.rows() if row.number == number]
    return farm.inventory.path(row)[1]


def asked(epoch: int = 5) -> Challenge:
    return Challenge(epoch, BEACON, TEST.answers_max)


def proven(farm: Farm) -> set[bytes]:
    """Plot ids whose answers verify, as a super node checks them."""
    proof = farm.prover.prove(asked())
    if proof is None:
        return set()
    verify_space_proof(proof)
    vrf.verify(vrf.public_key(farm.identity.vrf_seed), BEACON, proof.vrf_proof)
    gammas = {row.plot_id: row.gamma for row in farm.inventory.rows()}
    answers = [decode_answer(data) for data in proof.answers]
    for answer in answers:
        verify_space_answer(BEACON, answer.plot_id, gammas[answer.plot_id], SHAPE.b, answer)
    assert [a.x for a in answers] == sorted(a.x for a in answers)
    return {answer.plot_id for answer in answers}
