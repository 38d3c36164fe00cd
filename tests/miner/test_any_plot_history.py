"""Any history of the list of plots: no number twice, states as they were set, restarts included."""

import shutil
import tempfile
from pathlib import Path

from blake3 import blake3
from cybervein_miner.disk.rack import Rack
from cybervein_miner.plot.inventory import Inventory, PlotState, metadata_path, plot_path
from cybervein_miner.record.journal import Journal
from cybervein_protocol.signing import KeyPair
from cybervein_protocol.space import PlotShape
from cybervein_protocol.space.metadata import PlotMetadata
from cybervein_protocol.space.seed import plot_id, plot_seed
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

KEY = KeyPair(b"\1" * 32)
SHAPE = PlotShape(6, 3)
STATES = st.sampled_from(sorted(PlotState))
PICK = st.integers(0, 100)


def metadata(number: int) -> PlotMetadata:
    kappa, gamma = (blake3(f"{name} {number}".encode()).digest() for name in ("kappa", "gamma"))
    mu = plot_seed(KEY.public, number, SHAPE.b, SHAPE.k)
    return PlotMetadata(
        v=1,
        public_key=KEY.public,
        index=number,
        b=SHAPE.b,
        k=SHAPE.k,
        mu=mu,
        kappa=kappa,
        gamma=gamma,
        plot_id=plot_id(mu, kappa, gamma),
        sig=bytes(64),
    )


class PlotHistory(RuleBasedStateMachine):
    """The model: each plot's disk, state, batch and epoch, by number."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.paths = [self.folder / "a", self.folder / "b"]
        for path in self.paths:
            path.mkdir()
        self.plots: dict[int, tuple[int, PlotState, bytes | None, int]] = {}
        self.taken: set[int] = set()
        self.start()

    def start(self) -> None:
        self.journal = Journal(self.folder / "miner.sqlite")
        self.rack = Rack(KEY, self.journal, floor=0)
        assert self.rack.open(self.paths) == []
        self.inventory = Inventory(self.rack, self.journal, KEY.public, SHAPE)

    @rule()
    def begin_a_plot(self) -> None:
        """As a plotter does that is killed before its plot is whole."""
        self.take_a_number()

    def take_a_number(self) -> int:
        number = self.inventory.next_number()
        assert number not in self.taken
        self.taken.add(number)
        return number

    @rule(disk=st.integers(0, 1))
    def add(self, disk: int) -> None:
        number = self.take_a_number()
        file = plot_path(self.rack.disks[disk], number)
        file.write_bytes(b"rows")
        metadata_path(file).write_bytes(b"notes")
        self.inventory.add(self.rack.disks[disk], metadata(number))
        self.plots[number] = (disk, PlotState.MADE, None, 0)

    @rule(first=PICK, count=st.integers(0, 3), state=STATES, batch=st.none() | st.just(bytes(32)))
    def move(self, first: int, count: int, state: PlotState, batch: bytes | None) -> None:
        rows = self.inventory.rows()[first % (len(self.plots) + 1) :][:count]
        self.inventory.set_state(rows, state, batch, first)
        for row in rows:
            self.plots[row.number] = (self.plots[row.number][0], state, batch, first)

    @rule(first=PICK, count=st.integers(0, 2))
    def spoil(self, first: int, count: int) -> None:
        rows = self.inventory.rows()[first % (len(self.plots) + 1) :][:count]
        self.inventory.set_bad(rows)
        for row in rows:
            disk, _, batch, _ = self.plots[row.number]
            self.plots[row.number] = (disk, PlotState.BAD, batch, 0)

    @rule(first=PICK, count=st.integers(0, 2))
    def drop(self, first: int, count: int) -> None:
        rows = self.inventory.rows()[first % (len(self.plots) + 1) :][:count]
        files = [self.inventory.path(row)[1] for row in rows]
        self.inventory.drop(rows)
        assert not any(file.exists() or metadata_path(file).exists() for file in files)
        for row in rows:
            del self.plots[row.number]

    @rule()
    def restart(self) -> None:
        self.journal.close()
        self.start()

    @invariant()
    def the_list_is_the_model(self) -> None:
        rows = self.inventory.rows()
        disks = [disk.id for disk in self.rack.disks]
        assert {
            row.number: (disks.index(row.disk), row.state, row.batch, row.since_epoch)
            for row in rows
        } == self.plots
        for row in rows:
            assert self.inventory.find(row.gamma) == row
            assert self.inventory.path(row)[1].read_bytes() == b"rows"

    def teardown(self) -> None:
        self.journal.close()
        shutil.rmtree(self.folder)


TestAnyPlotHistory = PlotHistory.TestCase
TestAnyPlotHistory.settings = settings(max_examples=20, stateful_step_count=25, deadline=None)
