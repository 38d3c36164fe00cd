"""The end of the scripted run: no more miners than the code needs are left, and the file reads."""

import asyncio
from dataclasses import dataclass

from cybervein_up.fewest import fewest
from cybervein_up.network import EmbeddedNetwork
from cybervein_up.reading import Comparison
from cybervein_up.report import RunReport
from cybervein_up.view import UpView
from cybervein_up.watch import Holding, Watch


@dataclass(frozen=True, slots=True)
class LastReaders:
    """Stops miners and reads with the rest; the report says what was left."""

    network: EmbeddedNetwork
    watch: Watch
    view: UpView
    report: RunReport
    reader: Comparison

    async def read_all(self, chosen: Holding) -> None:
        """Stop all miners but k holders of each segment, a rebuilt shard's among them; read all."""
        numbers, holders = await self.watch.numbers(), dict[tuple[str, int], frozenset[str]]()
        for h in await self.watch.holdings(self.report.deals):
            place = (h.deal, h.segment)
            holders[place] = holders.get(place, frozenset()) | {h.miner}
        kept = fewest(holders, self.report.k, chosen.miner)
        await self._stop_all_but({numbers[key] for key in kept})
        self.report.kept_for_all = sorted(f"miner-{numbers[key]}" for key in kept)
        what = f"the whole file reads from the last {self.report.k} holders of each segment"
        self.report.seconds["get again"] = await self.reader.whole(what)

    async def read_a_segment(self, chosen: Holding) -> None:
        """Stop all miners but k holders of one segment, the rebuilt one among them; read it."""
        numbers = await self.watch.numbers()
        names = {key: f"miner-{number}" for key, number in numbers.items()}
        holdings = await self.watch.holdings(self.report.deals)
        others = [
            h.miner
            for h in holdings
            if (h.deal, h.segment) == (chosen.deal, chosen.segment)
            and h.miner != chosen.miner
            and names[h.miner] in self.report.kept_for_all
        ]
        segment = self.report.segment(chosen)
        keep = {numbers[key] for key in [chosen.miner, *others[: segment.k - 1]]}
        await self._stop_all_but(keep)
        self.report.kept = sorted(f"miner-{number}" for number in keep)
        await self.reader.segment(segment)

    async def _stop_all_but(self, keep: set[int]) -> None:
        self.view.say(f"stopping every miner but {', '.join(f'miner-{n}' for n in sorted(keep))}")
        miners = [
            m for number, m in self.network.miners.items() if number not in keep and m.running
        ]
        await asyncio.gather(*(miner.stop() for miner in miners))
