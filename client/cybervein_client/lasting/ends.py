"""When files end: the ledger's word, remembered in the catalogue.

An end only moves by a renewal or by closing the deal, which another home of the same wallet may do
as well. So what the catalogue remembers is believed while there is time left; before a file is
called expiring or expired the ledger is asked again.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import msgspec
from cybervein_protocol.api.super_node.deals import DealDocument
from cybervein_protocol.errors import UnavailableError

from cybervein_client.catalogue import Catalogue, DealEnd, DealState, FileRow, FileState
from cybervein_client.ledger import CustomersSuperNode
from cybervein_client.lifetimes import Life, NetworkTime, life_of, warn_epochs

_QUESTIONS_AT_ONCE: Final = 16
_SEEN: Final = "network time"
_COMMITTED: Final = frozenset({DealState.ACTIVE, DealState.ENDED})


@dataclass(frozen=True, slots=True)
class FileLife:
    """A file and its life at `time`; `expires` is the epoch with which its first deal ends."""

    file: FileRow
    life: Life
    time: NetworkTime
    deals: tuple[DealEnd, ...]

    @property
    def expires(self) -> int | None:
        """None while the ledger was not asked, or for a file whose put is unfinished."""
        known = [deal.expires for deal in self.deals if deal.expires is not None]
        return min(known) if known and self.life is not Life.UNFINISHED else None

    @property
    def ended(self) -> int:
        """How many deals have ended."""
        return sum(deal.state is DealState.ENDED for deal in self.deals)

    @property
    def kib(self) -> int:
        """What is paid for in each epoch."""
        return sum(deal.kib or 0 for deal in self.deals)

    @property
    def ends(self) -> float | None:
        """When it ends, in unix seconds."""
        return None if self.expires is None else self.time.begin_of(self.expires)

    @property
    def seconds_left(self) -> float | None:
        """What is left of it; 0 after its end."""
        return None if self.expires is None else self.time.seconds_until(self.expires)


class _Seen(msgspec.Struct):
    """The network's time when the super node last answered, `at` of this machine's clock."""

    epoch: int
    now: float
    ends: float
    at: float


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
            remembered = self._catalogue.fact(_SEEN)
            if remembered is None:
                raise
        self.estimated = True
        seen = msgspec.json.decode(remembered, type=_Seen)
        then = NetworkTime(seen.epoch, seen.now, seen.ends, self._epoch_seconds)
        return then.later(time.time() - seen.at)

    async def time_now(self) -> NetworkTime:
        """The network's time as the super node says it. Raises UnavailableError."""
        said = await self._supernode.network()
        self.estimated = False
        seen = _Seen(said.epoch, said.now, said.epoch_ends, time.time())
        self._catalogue.save_fact(_SEEN, msgspec.json.encode(seen))
        return NetworkTime(said.epoch, said.now, said.epoch_ends, self._epoch_seconds)

    async def look(self, files: Sequence[FileRow]) -> list[FileLife]:
        """The lives of files; the ledger is asked where the catalogue may be behind it."""
        now = await self.time()
        return await self._lives(files, now, lambda file, end: _doubtful(file, end, now))

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
        ends = [fresh.get((end.file, end.ordinal), end) for end in ends]
        return [_life(file, [end for end in ends if end.file == file.id], now) for file in files]

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


def _doubtful(file: FileRow, end: DealEnd, now: NetworkTime) -> bool:
    """A live deal whose end is unknown or near."""
    if end.state is not DealState.ACTIVE:
        return False
    soon = warn_epochs(file.epochs, now.epoch_seconds)
    return end.expires is None or end.expires - now.epoch <= soon


def _life(file: FileRow, ends: list[DealEnd], now: NetworkTime) -> FileLife:
    if file.state is not FileState.STORED:
        return FileLife(file, Life.UNFINISHED, now, tuple(ends))
    if any(end.state is DealState.ENDED for end in ends):
        return FileLife(file, Life.EXPIRED, now, tuple(ends))
    known = [end.expires for end in ends if end.expires is not None]
    life = life_of(min(known, default=None), file.epochs, now)
    return FileLife(file, life, now, tuple(ends))
