"""Receipts of a segment under way into the catalogue: together on a fast line, each on a slow one.

A transaction and its sync cost more than a receipt is worth that the next one follows in a moment:
losing it costs that its shard is sent again. So receipts wait up to a second for others, with the
salt that they belong to, as a salt without a receipt saves nothing. A segment that is done by then
has one entry, its own, which has them all.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from cybervein_protocol.errors import StorageError
from cybervein_protocol.messages import ShardEntry

from cybervein_client.catalogue import Catalogue, Sealed

PAUSE_SECONDS = 1.0
"""At most so much of a segment's upload is done again after `kill -9`."""


@dataclass(kw_only=True, eq=False)
class SegmentJournal:
    """Use as `async with` around an upload; one that ends in an error leaves all receipts kept."""

    catalogue: Catalogue
    file: str
    deal: str
    sealed: Sealed
    _kept: list[tuple[int, ShardEntry]] = field(init=False, default_factory=list)
    _written: int = field(init=False, default=0)
    _due: float = field(init=False, default=0.0)
    _writer: asyncio.Task[None] | None = field(init=False, default=None)

    async def __aenter__(self) -> Self:
        self._pause()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._writer is not None:
            self._writer.cancel()
            await asyncio.gather(self._writer, return_exceptions=True)
        if error is not None:
            with suppress(StorageError):  # the error that ends the upload is the one to tell
                await asyncio.to_thread(self._write)

    def keep(self, index: int, entry: ShardEntry) -> None:
        """A receipt came. Raises StorageError if earlier ones could not be written."""
        self._kept.append((index, entry))
        if self._writer is not None and self._writer.done():
            self._writer.result()
            self._writer = None
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_on())

    async def _write_on(self) -> None:
        while self._written < len(self._kept):
            await asyncio.sleep(self._due - asyncio.get_running_loop().time())
            await asyncio.to_thread(self._write)
            self._pause()

    def _pause(self) -> None:
        self._due = asyncio.get_running_loop().time() + PAUSE_SECONDS

    def _write(self) -> None:
        """All that came since the last time; harmless twice."""
        count = len(self._kept)
        fresh = dict(self._kept[self._written : count])
        self.catalogue.put_receipts(self.file, self.sealed, self.deal, fresh)
        self._written = count
