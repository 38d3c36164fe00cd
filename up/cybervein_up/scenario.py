"""`up --store`: the main promise, played through with real processes and written down.

Store a file and read it back; after half of the epochs kill a miner that holds shards, for good;
wait for the repair; after all epochs stop every miner but the holder of a rebuilt shard and k-1
others of its segment, and read that segment again. It succeeds only if every step held.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from cybervein_protocol.errors import CyberVeinError, UnavailableError

from cybervein_up.customer import Customer
from cybervein_up.network import EmbeddedNetwork
from cybervein_up.options import Scenario
from cybervein_up.report import CHUNK_BYTES, RunReport, Segment
from cybervein_up.snapshot import Snapshot
from cybervein_up.view import UpView
from cybervein_up.watch import Holding, Watch

_POLL_SECONDS = 0.25
_REPAIR_EPOCHS_MAX = 12
_PLOT_EPOCHS_MAX = 12
_SPARE_SECONDS = 60
_COMPARE_BYTES = 1 << 20


class Script:
    """One scripted run over a started network."""

    def __init__(
        self, network: EmbeddedNetwork, scenario: Scenario, watch: Watch, view: UpView
    ) -> None:
        self._network, self._scenario, self._watch, self._view = network, scenario, watch, view
        self._customer = Customer(network.layout.wallet)
        self._copies = network.layout.data / "read-back"
        self.report = RunReport(file_bytes=scenario.file.stat().st_size)

    async def run(self) -> RunReport:
        """Play all steps; the report says which held. Never raises for a step that failed."""
        try:
            await self._steps()
        except (CyberVeinError, OSError, ValueError, LookupError) as error:
            self.report.check("every step ran", ok=False, detail=f"{type(error).__name__}: {error}")
            self._view.say(f"error: {error}")
        return self.report

    async def _steps(self) -> None:
        first = await self._working()
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
        await self._read_with_the_fewest(rebuilt)

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
        copy = self._copies / "whole"
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.unlink(missing_ok=True)
        got = await self._customer.run("get", "scripted", "--out", str(copy))
        self.report.fetched(got.seconds)
        same = await asyncio.to_thread(_same, file, copy)
        self.report.check("the file read back is the file stored", ok=same)
        copy.unlink()

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
        dead = {key for key, number in (await self._watch.numbers()).items() if number == victim}

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
        self.report.shards_rebuilt = len(moved)
        self._view.say(f"repaired {len(moved)} shards in {self.report.repair_seconds:.1f} s")
        return moved

    async def _read_with_the_fewest(self, rebuilt: list[Holding]) -> None:
        """Stop all miners but k holders of one segment, the rebuilt one among them; read it."""
        chosen = rebuilt[0]
        holdings = await self._watch.holdings(self.report.deals)
        others = [
            h.miner
            for h in holdings
            if (h.deal, h.segment) == (chosen.deal, chosen.segment) and h.miner != chosen.miner
        ]
        segment = self.report.segment(chosen)
        numbers = await self._watch.numbers()
        keep = {numbers[key] for key in [chosen.miner, *others[: segment.k - 1]]}
        await self._stop_all_but(keep)
        self.report.kept = sorted(f"miner-{number}" for number in keep)
        await self._compare_segment(segment)

    async def _stop_all_but(self, keep: set[int]) -> None:
        self._view.say(f"stopping every miner but {', '.join(f'miner-{n}' for n in sorted(keep))}")
        miners = [m for number, m in self._network.miners.items() if number not in keep]
        await asyncio.gather(*(miner.stop() for miner in miners))

    async def _compare_segment(self, segment: Segment) -> None:
        """Read the segment's bytes and compare them with the file's."""
        if segment.stop > segment.start:
            span = f"{segment.start}-{segment.stop - 1}"
            cat = await self._customer.run("cat", "scripted", "--range", span, as_json=False)
            read = cat.output
        else:
            read = b""
        with self._scenario.file.open("rb") as file:
            file.seek(segment.start)
            expected = file.read(segment.stop - segment.start)
        what = f"the segment reads from its last {segment.k} holders"
        self.report.check(what, ok=read == expected, detail=f"{len(read)} bytes")

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


def _same(first: Path, second: Path) -> bool:
    """Both files hold the same bytes; constant memory."""
    with first.open("rb") as one, second.open("rb") as other:
        while True:
            a, b = one.read(_COMPARE_BYTES), other.read(_COMPARE_BYTES)
            if a != b:
                return False
            if not a:
                return True
