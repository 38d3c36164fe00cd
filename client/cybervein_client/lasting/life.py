"""The lives of files as the catalogue remembers them, and when the network's time was last known.

That is enough for a list of files while nothing in it ends soon; `EndWatch` asks for the rest.
"""

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import msgspec
from cybervein_protocol.errors import StorageError

from cybervein_client.catalogue import Catalogue, DealEnd, DealState, FileRow, FileState
from cybervein_client.lifetimes import Life, NetworkTime, life_of, warn_epochs

_SEEN: Final = "network time"


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


def remember_time(catalogue: Catalogue, now: NetworkTime) -> None:
    """Keep the network's time, for when no super node answers; a full disk is no reason to fail."""
    seen = _Seen(now.epoch, now.now, now.ends, time.time())
    with suppress(StorageError):
        catalogue.save_fact(_SEEN, msgspec.json.encode(seen))


def remembered_time(catalogue: Catalogue, epoch_seconds: int) -> NetworkTime | None:
    """An estimate of the network's time by this machine's clock, None if it was never known."""
    remembered = catalogue.fact(_SEEN)
    if remembered is None:
        return None
    seen = msgspec.json.decode(remembered, type=_Seen)
    then = NetworkTime(seen.epoch, seen.now, seen.ends, epoch_seconds)
    return then.later(time.time() - seen.at)


def remembered_lives(
    catalogue: Catalogue, files: Sequence[FileRow], now: NetworkTime
) -> list[FileLife] | None:
    """The lives of all files, None where the ledger has to be asked for one of them."""
    by_file: dict[str, list[DealEnd]] = {file.id: [] for file in files}
    for end in catalogue.deal_ends():
        by_file.get(end.file, []).append(end)
    if any(doubtful(file, end, now) for file in files for end in by_file[file.id]):
        return None
    return [life_at(file, by_file[file.id], now) for file in files]


def doubtful(file: FileRow, end: DealEnd, now: NetworkTime) -> bool:
    """Whether it is a live deal of a stored file, its end unknown or near."""
    if end.state is not DealState.ACTIVE or file.state is not FileState.STORED:
        return False
    soon = warn_epochs(file.epochs, now.epoch_seconds)
    return end.expires is None or end.expires - now.epoch <= soon


def life_at(file: FileRow, ends: Sequence[DealEnd], now: NetworkTime) -> FileLife:
    """The life of a file with these deals."""
    if file.state is not FileState.STORED:
        return FileLife(file, Life.UNFINISHED, now, tuple(ends))
    if any(end.state is DealState.ENDED for end in ends):
        return FileLife(file, Life.EXPIRED, now, tuple(ends))
    known = [end.expires for end in ends if end.expires is not None]
    life = life_of(min(known, default=None), file.epochs, now)
    return FileLife(file, life, now, tuple(ends))
