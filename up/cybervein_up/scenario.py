"""`up --store`: the main promise, played through with real processes and written down.

Store a file and read it back; after half of the epochs kill a miner that holds shards, for good;
wait for the repair; after all epochs stop every miner but the holder of a rebuilt shard and k-1
others of its segment, and read that segment again. It succeeds only if every step held.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

from cybervein_protocol.errors import CyberVeinError, UnavailableError

from cybervein_up.customer import Customer
from cybervein_up.facts import MissedProof, MovedShard, machine_of, why_missed
from cybervein_up.last_readers import LastReaders
from cybervein_up.network import EmbeddedNetwork
from cybervein_up.options import Scenario
from cybervein_up.reading import Comparison
from cybervein_up.report import CHUNK_BYTES, RunReport
from cybervein_up.snapshot import Snapshot
from cybervein_up.view import UpView
from cybervein_up.watch import Holding, Proofs, Watch

_POLL_SECONDS = 0.25
_REPAIR_EPOCHS_MAX = 12
_PLOT_EPOCHS_MAX = 12
_SPARE_SECONDS = 60


class Script:
    """One scripted run over a started network."""

    def __init__(
        self, network: EmbeddedNetwork, scenario: Scenario, watch: Watch, view: UpView
    ) -> None:
        self._network, self._scenario, self._watch, self._view = network, scenario, watch, view
        self._customer = Customer(network.layout.wallet)
        self._began = time.monotonic()
        data, file = network.layout.data, scenario.file
        self.report = RunReport(file_bytes=file.stat().st_size, machine=machine_of(data))
        copies = data / "read-back"
        self._reader = Comparison(self._customer, self.report, file, "scripted", copies)

    async def run(self) -> RunReport:
        """Play all steps; the report says which held. Never raises for a step that failed."""
        try:
            await self._steps()
        except (CyberVeinError, OSError, ValueError, LookupError) as error:
            self.report.check("every step ran", ok=False, detail=f"{type(error).__name__}: {error}")
            self._view.say(f"error: {error}")
        self.report.seconds["all"] = time.monotonic() - self._began
        return self.report

    async def _steps(self) -> None:
        first = await self._working()
        self.report.preset = self._watch.preset
        self.report.seconds["until plots counted"] = time.monotonic() - self._began
        self.report.segment_bytes = self._watch.preset.segment_chunks * CHUNK_BYTES
        self.report.deal_segments = self._watch.preset.deal_segments_max
        half, last = first + self._scenario.epochs // 2, first + self._scenario.epochs
        await self._store_and_read()
        await self._until(lambda s: s.epoch >= half, "half of the epochs", self._epochs_left(half))
        before = await self._watch.holdings(self.report.deals)
        victim = await self._kill_a_holder(before)
        rebuilt = await self._wait_for_repair(before, victim)
        await self._until(lambda s: s.epoch >= last, "the last epoch", self._epochs_left(last))
        proofs = await self._watch.proofs(range(first, last))
        self.report.network(await self._watch.snapshot(), proofs, self._network.crashed)
        self._say_why(proofs)
        last_readers = LastReaders(
            self._network, self._watch, self._view, self.report, self._reader
        )
        await last_readers.read_all(rebuilt[0])
        await last_readers.read_a_segment(rebuilt[0])

    def _say_why(self, proofs: Proofs) -> None:
        """Every proof that did not come, with its reason."""
        states = {miner.address: miner for miner in self.report.miners}
        self.report.missed = [
            MissedProof(epoch, states[key].name, why_missed(states[key], self.report.killed))
            for epoch, key in proofs.without
            if key in states
        ]
        for missed in self.report.missed:
            self._view.say(f"{missed.miner} missed a proof in epoch {missed.epoch}: {missed.why}")

    async def _working(self) -> int:
        """The epoch in which every running miner's plots count: the first of those to live."""

        def plotted(snapshot: Snapshot) -> bool:
            return all(miner.plots_active for miner in snapshot.miners if miner.running)

        seconds = self._watch.preset.epoch_seconds * _PLOT_EPOCHS_MAX + _SPARE_SECONDS
        await self._until(plotted, "every miner's first plot", seconds)
        return (await self._watch.snapshot()).epoch

    async def _store_and_read(self) -> None:
        """Put the file, get it back, compare byte for byte."""
        file = self._scenario.file
        self._view.say(f"storing {file} ({file.stat().st_size} bytes)")
        put = await self._customer.run("put", str(file), "--name", "scripted")
        self.report.stored(put.json(), put.seconds)
        seconds = await self._reader.whole("the file read back is the file stored")
        self.report.fetched(seconds)

    async def _kill_a_holder(self, holdings: list[Holding]) -> int:
        """SIGKILL a miner that holds shards; it is never started again. Returns its number."""
        numbers = await self._watch.numbers()
        victim = numbers[holdings[0].miner]
        self._view.say(f"killing miner-{victim} for good; it holds shards of the file")
        await self._network.miners[victim].kill()
        self.report.killed = f"miner-{victim}"
        return victim

    async def _wait_for_repair(self, before: list[Holding], victim: int) -> list[Holding]:
        """Wait until the dead miner holds nothing; return the shards that were rebuilt."""
        began = time.monotonic()
        numbers = await self._watch.numbers()
        names = {key: f"miner-{number}" for key, number in numbers.items()}
        dead = {key for key, number in numbers.items() if number == victim}

        async def repaired() -> bool:
            now = await self._watch.holdings(self.report.deals)
            return len(now) == len(before) and not any(h.miner in dead for h in now)

        seconds = self._watch.preset.epoch_seconds * _REPAIR_EPOCHS_MAX + _SPARE_SECONDS
        await self._poll(repaired, f"the repair of {self.report.killed}'s shards", seconds)
        self.report.repair_seconds = time.monotonic() - began
        old = {(h.deal, h.segment, h.index): h for h in before}
        after = await self._watch.holdings(self.report.deals)
        moved = [h for h in after if old[h.deal, h.segment, h.index].miner != h.miner]
        same = all(old[h.deal, h.segment, h.index].root == h.root for h in moved)
        self.report.check("the rebuilt shards keep their roots", ok=same and bool(moved))
        self.report.moved = [
            MovedShard(h.deal, h.segment, h.index, h.root, self.report.killed, names[h.miner])
            for h in moved
        ]
        count = "1 shard" if len(moved) == 1 else f"{len(moved)} shards"
        self._view.say(f"repaired {count} in {self.report.repair_seconds:.1f} s")
        return moved

    def _epochs_left(self, epoch: int) -> float:
        """A generous limit for waiting until `epoch`, seconds."""
        return (epoch + 3) * self._watch.preset.epoch_seconds + _SPARE_SECONDS

    async def _until(
        self, condition: Callable[[Snapshot], bool], what: str, seconds_max: float
    ) -> None:
        async def met() -> bool:
            snapshot = await self._watch.snapshot()
            self._view.show(snapshot)
            return condition(snapshot)

        await self._poll(met, what, seconds_max)

    async def _poll(
        self, condition: Callable[[], Awaitable[bool]], what: str, seconds_max: float
    ) -> None:
        """Ask until it holds. Raises UnavailableError after `seconds_max`."""
        give_up = time.monotonic() + seconds_max
        while not await condition():
            if time.monotonic() > give_up:
                raise UnavailableError(f"waited {seconds_max:.0f} s for {what}, which did not come")
            await asyncio.sleep(_POLL_SECONDS)
