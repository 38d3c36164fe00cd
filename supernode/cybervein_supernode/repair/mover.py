"""Moves what is to leave (`departures`), promptly, a few shards at a time, until nothing waits.

A shard that finds no place is tried again after a pause, and the reason is told: an operator shows
it to a person. Nothing is lost by a crash at any point: until `shard.moved` is final the old
miner's row stands, and a copy that nobody's row names is cleaned up by its holder.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from cybervein_protocol.api.super_node.miners import DrainOutlook
from cybervein_protocol.errors import CyberVeinError
from cybervein_protocol.signing import address
from cybervein_runtime.duty import Figure
from msgspec import UNSET, UnsetType

from cybervein_supernode.desk.desk import Desk
from cybervein_supernode.repair.departures import Departures
from cybervein_supernode.repair.rebuild import Rebuilder
from cybervein_supernode.repair.watch import name_of, repair_event

_log = structlog.get_logger()
MOVES_AT_ONCE = 4
"""A move holds its shard in memory, one that has to be rebuilt k + 1 of them."""
MOVES_PER_LOOK = 64
"""Of one miner: others take their turn in between."""
PAUSE_SECONDS = 1.0
_RETRY_SECONDS_MAX = 30.0


@dataclass(frozen=True, slots=True)
class Blocked:
    """Why a shard could not leave `miner`, and when (monotonic) that is tried again."""

    miner: bytes
    reason: str
    again: float


class Mover:
    """Runs beside the epochs."""

    def __init__(self, desk: Desk, departures: Departures, rebuilder: Rebuilder) -> None:
        self._desk, self._departures, self._rebuilder = desk, departures, rebuilder
        self._turn = asyncio.Semaphore(MOVES_AT_ONCE)
        self._blocked: dict[bytes, Blocked] = {}
        self._remaining: dict[bytes, int] = {}
        self._retry = min(_RETRY_SECONDS_MAX, max(1.0, desk.preset.epoch_seconds / 4))

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            if not await self.look():
                await self._desk.time.sleep(PAUSE_SECONDS)

    async def look(self) -> int:
        """Move the next few shards of each miner that has some to leave; how many moved."""
        waiting = await self._desk.judge(self._departures.waiting)
        known = {identity for ids in waiting.values() for identity in ids}
        self._blocked = {key: why for key, why in self._blocked.items() if key in known}
        self._remaining = {miner: len(ids) for miner, ids in waiting.items()}
        due = [(one, miner) for miner, ids in waiting.items() for one in self._due(ids)]
        moved = await asyncio.gather(*(self._move(*one) for one in due))
        return sum(moved)

    def figures(self) -> Sequence[Figure]:
        """Shards that were waiting at the last look."""
        text = "Shards that are to leave a miner that drains or gives them up."
        return (Figure("waiting_moves", text, sum(self._remaining.values())),)

    def outlook(
        self, miner: bytes, held: int | None = None, promised: int | UnsetType = UNSET
    ) -> DrainOutlook:
        """What is left to move, and why it makes no progress; `held` where all of it must go."""
        reasons = [why.reason for why in self._blocked.values() if why.miner == miner]
        remaining = self._remaining.get(miner, 0) if held is None else held
        why = reasons[-1] if reasons else ""
        return DrainOutlook(remaining=remaining, blocked_by=why, promised=promised)

    def _due(self, ids: list[bytes]) -> list[bytes]:
        """Those never tried first, then those whose pause is over."""
        now = self._desk.time.monotonic()
        fresh = [identity for identity in ids if identity not in self._blocked]
        again = [i for i in ids if i in self._blocked and self._blocked[i].again <= now]
        return [*fresh, *again][:MOVES_PER_LOOK]

    async def _move(self, identity: bytes, miner: bytes) -> bool:
        async with self._turn:
            shard = await self._desk.judge(lambda: self._departures.leaving(identity, miner))
            if shard is None:
                return False
            try:
                target = await self._rebuilder.relocate(
                    shard, lambda: self._departures.leaving(identity, miner) is not None
                )
            except CyberVeinError as error:
                self._stays(identity, miner, str(error))
                _log.warning("shard cannot leave yet", shard=name_of(shard), error=str(error))
                return False
            self._blocked.pop(identity, None)
            self._desk.notebook.drop_release(identity)
            self._desk.tally.add("moves")
            self._desk.hub.publish(repair_event(shard, "moved", to=address(target)))
            return True

    def _stays(self, identity: bytes, miner: bytes, reason: str) -> None:
        again = self._desk.time.monotonic() + self._retry
        self._blocked[identity] = Blocked(miner, reason[:400], again)
