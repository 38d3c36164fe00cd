"""Reading a file: whole shards for whole segments, slices for the stripes of a range."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from typing import Final

from cybervein_protocol.coding import CHUNK_PLAIN, decode_stripes, stripes_for_range
from cybervein_protocol.errors import CyberVeinError, ProofError, UnavailableError
from cybervein_protocol.signing import address
from cybervein_runtime.durations import duration_text

from cybervein_client.catalogue import Catalogue, FileRow, SegmentRow
from cybervein_client.download.fetch import ShardFetcher
from cybervein_client.download.locate import Locator, Placed
from cybervein_client.download.pace import Downlink
from cybervein_client.download.race import first_k
from cybervein_client.download.report import ReadReport
from cybervein_client.segments import CODING_THREADS, secret_of, shape_of
from cybervein_client.transport import Receiving, ShardAt

AHEAD_SEGMENTS: Final = 3
"""Segments read ahead of the one that is written: bounds memory at about 32 MiB each."""
RELOCATE_SECONDS: Final = (0.0, 0.25, 1.0)
"""Pauses before the holders are asked for again."""
_WHOLE_SHARE: Final = 2
"""From 1/2 of a segment's chunks on, whole shards are cheaper than slices."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A part of one segment: chunks to decode, the leaves they lie in, what to keep of them."""

    row: SegmentRow
    chunks: tuple[int, int]
    leaves: tuple[int, int]
    keep: tuple[int, int]


class FileReader:
    """Reads one stored file of this wallet; `report` says what had to be repaired."""

    def __init__(
        self, catalogue: Catalogue, locator: Locator, fetcher: ShardFetcher, file: FileRow
    ) -> None:
        self.file = file
        self.report = ReadReport()
        self.segments = catalogue.segments(file.id)
        self.size = sum(row.size for row in self.segments)
        self._locator = locator
        self._fetcher = fetcher
        self._placed: Placed | None = None
        self._line = Downlink()

    async def stream(self, start: int, stop: int) -> AsyncIterator[bytes]:
        """The plaintext bytes [start, stop) in order, a few segments read ahead."""
        await self._locate()
        ahead: list[asyncio.Task[bytes]] = []
        wanted = self._wanted(start, stop)
        try:
            while True:
                while len(ahead) < AHEAD_SEGMENTS and (part := next(wanted, None)) is not None:
                    ahead.append(asyncio.create_task(self._read(part)))
                if not ahead:
                    return
                yield await ahead.pop(0)
        finally:
            for task in ahead:
                task.cancel()
            await asyncio.gather(*ahead, return_exceptions=True)

    async def _locate(self) -> None:
        self._placed = await self._locator.locate(self.file)

    def _wanted(self, start: int, stop: int) -> Iterator[_Wanted]:
        for part in stripes_for_range(self.size, start, stop, self.file.k, self.file.n):
            row = self.segments[part.segment]
            chunks, leaves, (low, high) = part.chunks, part.leaves, part.keep
            if (chunks[1] - chunks[0]) * _WHOLE_SHARE > row.chunks:
                skipped = chunks[0] * CHUNK_PLAIN
                low, high = low + skipped, high + skipped
                chunks = (0, row.chunks)
                leaves = (0, shape_of(self.file, row).shard_size)
            yield _Wanted(row, chunks, leaves, (low, high))

    async def _read(self, wanted: _Wanted) -> bytes:
        """One segment's part; asks again for the holders if too few shards were found.

        Shards move while a file is read (a repair, a drain), and miners restart.
        """
        pieces = await self._pieces(wanted)
        for pause in RELOCATE_SECONDS:
            if len(pieces) >= self.file.k:
                break
            await asyncio.sleep(pause)
            await self._locate()
            pieces = await self._pieces(wanted)
        if len(pieces) < self.file.k:
            raise self._too_few(wanted.row.number, len(pieces))
        return await asyncio.to_thread(self._decode, wanted, pieces)

    def _too_few(self, number: int, read: int) -> UnavailableError:
        """One line on why a segment cannot be read now; each miner's reason is a note of it."""
        holders = {shard.miner for _, shard in (self._placed or {}).get(number, {}).values()}
        error = UnavailableError(
            f"segment {number} of {self.file.name}: {read} of {self.file.k} shards that it needs "
            f"could be read, {self.report.counted(number, holders)}; try again in "
            f"{duration_text(self._locator.epoch_seconds)}, `cybervein miners` shows who is back"
        )
        for reason in self.report.reasons():
            error.add_note(reason)
        return error

    def _decode(self, wanted: _Wanted, pieces: dict[int, bytes]) -> bytes:
        data = decode_stripes(
            pieces,
            secret_of(self.file, wanted.row),
            shape_of(self.file, wanted.row),
            wanted.chunks,
            threads=CODING_THREADS,
        )
        low, high = wanted.keep
        return data if (low, high) == (0, len(data)) else data[low:high]

    async def _pieces(self, wanted: _Wanted) -> dict[int, bytes]:
        """Any k pieces of shards, verified; each failure goes into the report."""
        row, (start, stop) = wanted.row, wanted.leaves
        usable = self._usable(row)
        coming = {index: Receiving() for index in usable}

        async def fetch(index: int) -> bytes:
            deal, shard = usable[index]
            try:
                if stop - start == shard.size:
                    return await self._fetcher.whole(deal, shard, coming[index])
                return await self._fetcher.part(deal, shard, start, stop - start, coming[index])
            except CyberVeinError as error:
                self.report.note(row.number, index, shard, error)
                raise

        return await first_k(
            self.file.k,
            self._preferred(usable),
            fetch,
            size=stop - start,
            arrived=lambda index: coming[index].arrived(),
            overtaken=lambda index: self.report.note_slow(usable[index][1]),
            line=self._line,
        )

    def _usable(self, row: SegmentRow) -> dict[int, tuple[str, ShardAt]]:
        """Holders of the roots that were recorded at upload, with the sizes recorded then."""
        usable: dict[int, tuple[str, ShardAt]] = {}
        for index, (deal, shard) in (self._placed or {}).get(row.number, {}).items():
            if 0 <= index < len(row.shards) and shard.root == row.shards[index].root:
                usable[index] = (deal, replace(shard, size=row.shards[index].size))
                continue
            why = ProofError(f"the super node names a wrong root at {address(shard.miner)}")
            self.report.note(row.number, index, shard, why)
        return usable

    def _preferred(self, usable: dict[int, tuple[str, ShardAt]]) -> list[int]:
        """Miners that failed or fell behind last; else data shards, which cost no arithmetic."""
        failed = self.report.by_miner
        return sorted(usable, key=lambda i: (failed[usable[i][1].miner], i >= self.file.k, i))
