"""One running put: segments through encoder and uploader, deals committed behind them.

The producer encodes one segment at a time; uploads run beside it within a byte budget, so memory
does not grow with the file. A segment whose upload an earlier attempt has begun is sealed with the
same salt; if that gives the same roots, it is the same content and its receipts count. If not, it
gets a fresh salt before anything is sent: content that has changed never meets a used key.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from cybervein_protocol.coding import SegmentShape
from cybervein_protocol.encoding import parse_cid
from cybervein_protocol.errors import ProofError
from cybervein_protocol.names import MIB

from cybervein_client.catalogue import (
    Catalogue,
    CatalogueDeal,
    DealState,
    FileRow,
    Sealed,
    SegmentRow,
)
from cybervein_client.upload.budget import ByteBudget
from cybervein_client.upload.deals import FileDeals
from cybervein_client.upload.encode import Encoded, Encoder
from cybervein_client.upload.receipts import SegmentJournal
from cybervein_client.upload.resuming import Earlier, SourceChangedError
from cybervein_client.upload.shards import SegmentJob, ShardUploader
from cybervein_client.upload.source import Piece, Source

BUDGET_BYTES: Final = 112 * MIB
"""Masked shards in memory at once."""
VERIFY_ATTEMPTS_MAX: Final = 3
_SALT_BYTES: Final = 32


@dataclass(kw_only=True, eq=False)
class RunningPut:
    """Stores one source as one catalogued file."""

    catalogue: Catalogue
    deals: FileDeals
    uploader: ShardUploader
    budget: ByteBudget
    source: Source
    earlier: Earlier
    file: FileRow
    progress: Callable[[int], None]

    _uploads: dict[int, asyncio.Task[None]] = field(init=False, default_factory=dict)
    _done: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self._encoder = Encoder(self.source, self.file)

    async def run(self) -> int:
        """All segments and deals; the file's size in bytes."""
        size = 0
        known = {row.number: row for row in self.catalogue.segments(self.file.id) if row.shards}
        with contextlib.closing(self._encoder):
            async with asyncio.TaskGroup() as group:
                while (piece := await self._encoder.next_piece()) is not None:
                    size += piece.size
                    opening = group.create_task(self.deals.of_segment(piece.number))
                    if (row := known.get(piece.number)) is not None:
                        await self._skip(piece, row)
                    else:
                        await self._start(group, piece, opening)
                    deal = await opening
                    if piece.last or piece.number == deal.first + deal.segments - 1:
                        self._commit_later(group, deal, piece.number)
        return size

    async def _start(
        self, group: asyncio.TaskGroup, piece: Piece, opening: asyncio.Task[CatalogueDeal]
    ) -> None:
        """Encode while the deal is being opened, then upload beside the next segment."""
        row, encoded, begun = await self._encoded(piece)
        task = group.create_task(self._upload(await opening, row, encoded, begun=begun))
        self._uploads[piece.number] = task

    async def _skip(self, piece: Piece, row: SegmentRow) -> None:
        """A segment with receipts: a stream's is encoded again, to see that it is the same."""
        if row.size != piece.size or row.last != piece.last:
            raise changed(self.file)
        if piece.data is not None:
            encoded = await self._encoder.encode(piece, row)
            if encoded.roots != [shard.root for shard in row.shards]:
                raise changed(self.file)
        self._advance(piece.size)

    async def _encoded(self, piece: Piece) -> tuple[SegmentRow, Encoded, bool]:
        """A piece sealed, as before if it is the same, as soon as there is room for its shards.

        And whether it was: then earlier receipts count.
        """
        shape = SegmentShape(piece.size, self.file.k, self.file.n, last=piece.last)
        await self.budget.take(shape.n * shape.shard_size)
        before = self.catalogue.sealed(self.file.id, piece.number)
        if before is not None:
            row = self._row(piece, before.salt)
            encoded = await self._encoder.encode(piece, row)
            if tuple(encoded.roots) == before.roots:
                return row, encoded, True
        return *await self._sealed_anew(piece), False

    async def _sealed_anew(self, piece: Piece) -> tuple[SegmentRow, Encoded]:
        row = self._row(piece, secrets.token_bytes(_SALT_BYTES))
        return row, await self._encoder.encode(piece, row)

    def _row(self, piece: Piece, salt: bytes) -> SegmentRow:
        shape = SegmentShape(piece.size, self.file.k, self.file.n, last=piece.last)
        return SegmentRow(
            file=self.file.id,
            number=piece.number,
            salt=salt,
            size=piece.size,
            chunks=shape.chunks,
            last=piece.last,
            shards=(),
        )

    async def _upload(
        self, deal: CatalogueDeal, row: SegmentRow, encoded: Encoded, *, begun: bool
    ) -> None:
        """All shards of a segment, and then one journal entry with their receipts."""
        cid, local = parse_cid(deal.cid, "deal"), row.number - deal.first
        done = self.catalogue.receipts(self.file.id, row.number, deal.cid) if begun else {}
        sealed = Sealed(row.number, row.salt, tuple(encoded.roots))
        async with SegmentJournal(
            catalogue=self.catalogue, file=self.file.id, deal=deal.cid, sealed=sealed
        ) as journal:
            job = SegmentJob(cid, local, encoded.shards, encoded.roots, done, journal.keep)
            entries = await self.uploader.upload(job)
        await asyncio.to_thread(self.catalogue.put_segment, replace(row, shards=entries))
        self._advance(row.size)

    def _commit_later(self, group: asyncio.TaskGroup, deal: CatalogueDeal, last: int) -> None:
        if deal.state is not DealState.ACTIVE:
            waiting = [task for n, task in self._uploads.items() if deal.first <= n <= last]
            group.create_task(self._commit(deal, last, waiting))

    async def _commit(
        self, deal: CatalogueDeal, last: int, uploads: list[asyncio.Task[None]]
    ) -> None:
        """Verify and commit; shards that turn out to be missing are uploaded once more."""
        await asyncio.gather(*uploads)
        for attempt in range(VERIFY_ATTEMPTS_MAX):
            await self._require_unchanged()  # what was mended was read again
            rows = self._rows(deal, last)
            try:
                await self.deals.commit(deal, rows)
            except ProofError:
                if attempt + 1 == VERIFY_ATTEMPTS_MAX or self.file.size is None:
                    raise
                await self._mend(deal, rows)
            else:
                return

    async def _require_unchanged(self) -> None:
        """What is committed is what the source has: other facts are no proof of other bytes.

        A file is linked, renamed or touched while it is stored; then its bytes decide.
        """
        now = self.source.facts_now()
        if now == self.source.facts:
            return
        same = now is not None and now.size == self.source.size
        if not same or not await self.earlier.matches(self.file, self.source):
            raise changed(self.file)
        if self.source.facts_now() != now:
            raise changed(self.file)

    async def _mend(self, deal: CatalogueDeal, rows: list[SegmentRow]) -> None:
        """Upload anew the segments with a shard that its miner does not give back."""
        for row in rows:
            lost = await self.uploader.lost(parse_cid(deal.cid, "deal"), row)
            if lost:
                piece = Piece(row.number, row.size, row.last, None)
                await self.budget.take(sum(entry.size for entry in row.shards))
                fresh, encoded = await self._sealed_anew(piece)
                self._done -= row.size
                await self._upload(deal, fresh, encoded, begun=False)

    def _rows(self, deal: CatalogueDeal, last: int) -> list[SegmentRow]:
        rows = self.catalogue.segments(self.file.id)
        return [row for row in rows if deal.first <= row.number <= last]

    def _advance(self, size: int) -> None:
        self._done += size
        self.progress(self._done)


def changed(file: FileRow) -> SourceChangedError:
    """The source is not what it was when the upload began."""
    return SourceChangedError(
        f"{file.source} changed since its upload began; put it again, which begins anew"
    )
