"""When files end: the ledger's word, remembered in the catalogue.

An end only moves by a renewal or by closing the deal, which another home of the same wallet may do
as well. So what the catalogue remembers is believed while there is time left; before a file is
called expiring or expired the ledger is asked again.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Final

from cybervein_protocol.api.super_node.deals import DealDocument
from cybervein_protocol.errors import UnavailableError

from cybervein_client.catalogue import Catalogue, DealEnd, DealState, FileRow, FileState
from cybervein_client.lasting.life import (
    FileLife,
    doubtful,
    life_at,
    remember_time,
    remembered_time,
)
from cybervein_client.ledger import CustomersSuperNode
from cybervein_client.lifetimes import NetworkTime

_QUESTIONS_AT_ONCE: Final = 16
_COMMITTED: Final = frozenset({DealState.ACTIVE, DealState.ENDED})


class EndWatch:
    """Knows when each file of a catalogue ends."""

    def __init__(
        self, catalogue: Catalogue, supernode: CustomersSuperNode, epoch_seconds: int
    ) -> None:
        self._catalogue = catalogue
        self._supernode = supernode
        self._epoch_seconds = epoch_seconds
        self.estimated = False

    async def time(self) -> NetworkTime:
        """The network's time; estimated from when it was last known while nobody answers."""
        try:
            return await self.time_now()
        except UnavailableError:
            estimate = remembered_time(self._catalogue, self._epoch_seconds)
            if estimate is None:
                raise
        self.estimated = True
        return estimate

    async def time_now(self) -> NetworkTime:
        """The network's time as the super node says it. Raises UnavailableError."""
        said = await self._supernode.network()
        self.estimated = False
        now = NetworkTime(said.epoch, said.now, said.epoch_ends, self._epoch_seconds)
        remember_time(self._catalogue, now)
        return now

    async def look(self, files: Sequence[FileRow]) -> list[FileLife]:
        """The lives of files; the ledger is asked where the catalogue may be behind it."""
        now = await self.time()

        def wanted(file: FileRow, end: DealEnd) -> bool:
            return doubtful(file, end, now)

        try:
            return await self._lives(files, now, wanted)
        except UnavailableError:  # it went away between two questions
            self.estimated = True
        return await self._lives(files, now, wanted)

    async def ask(self, file: FileRow) -> FileLife:
        """The life of a file, whatever the catalogue remembers. Raises UnavailableError."""
        now = await self.time_now()
        [life] = await self._lives([file], now, lambda _, end: end.state in _COMMITTED)
        return life

    async def _lives(
        self,
        files: Sequence[FileRow],
        now: NetworkTime,
        wanted: Callable[[FileRow, DealEnd], bool],
    ) -> list[FileLife]:
        ends = self._catalogue.deal_ends(files[0].id if len(files) == 1 else None)
        by_id = {file.id: file for file in files if file.state is FileState.STORED}
        asked = [end for end in ends if end.file in by_id and wanted(by_id[end.file], end)]
        fresh = {} if self.estimated else await self._refreshed(asked)
        by_file: dict[str, list[DealEnd]] = {file.id: [] for file in files}
        for end in ends:
            by_file.get(end.file, []).append(fresh.get((end.file, end.ordinal), end))
        return [life_at(file, by_file[file.id], now) for file in files]

    async def _refreshed(self, ends: Iterable[DealEnd]) -> dict[tuple[str, int], DealEnd]:
        gate = asyncio.Semaphore(_QUESTIONS_AT_ONCE)

        async def ask(end: DealEnd) -> DealEnd:
            async with gate:
                said = await self._supernode.deal(end.cid)
            return end if said is None else self._recorded(end, said)

        found = await asyncio.gather(*(ask(end) for end in ends))
        return {(end.file, end.ordinal): end for end in found}

    def _recorded(self, end: DealEnd, said: DealDocument) -> DealEnd:
        ended = said.state == "ended"
        state = DealState.ENDED if ended else DealState.ACTIVE
        kib = end.kib if ended else said.kib  # what is no longer held has none
        fresh = replace(end, state=state, expires=said.expires, kib=kib)
        if fresh != end:
            self._catalogue.set_deal_end(fresh)
        return fresh
