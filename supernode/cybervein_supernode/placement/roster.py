"""Which miners answer right now, and how many bytes they have free.

The roster asks each miner's public status every few seconds. It decides only where new bytes may
go; whether a miner is paid, warned or repaired is the audits' matter.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from cybervein_protocol.api.miner.status import StatusDocument
from cybervein_protocol.api.super_node.events import MinerEvent
from cybervein_protocol.api.super_node.miners import NOT_ASKED
from cybervein_protocol.errors import CyberVeinError
from cybervein_protocol.ledger.state.rows import MinerRow
from cybervein_protocol.messages.instances import INSTANCE_CHARS_MAX
from cybervein_protocol.placement import Candidate
from cybervein_protocol.signing import address

from cybervein_supernode.desk.desk import Desk
from cybervein_supernode.peers.miner_client import MinerPeer, Peer
from cybervein_supernode.placement.domains import failure_domain
from cybervein_supernode.placement.instances import Instances

ASKED_AT_ONCE_MAX = 16
ASKED_PER_SECOND_MAX = 50
"""On the average: a thousand miners are looked at every 20 seconds, at a few percent of a core."""
_INTERVAL_SECONDS_MIN = 1.0
_INTERVAL_SECONDS_MAX = 30.0
FIRST_ROUND_SECONDS_MAX = 30.0
"""Miners that have gone for good cost seconds each: a super node is not unready for all of them."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A miner's last status: `wall` is unix seconds of its last answer, 0 for never.

    `draining` is what it says itself, which may be a moment before the ledger has it. `asked` is
    when the last question to `url` began, 0 if there was none, and `instance` the process that
    answered it.
    """

    online: bool
    free_bytes: int
    wall: float
    error: str
    draining: bool = False
    asked: float = 0.0
    url: str = ""
    instance: str = ""


_NEVER = Sighting(online=False, free_bytes=0, wall=0.0, error=NOT_ASKED)


class Roster:
    """Sightings of all registered miners; `looked` once everybody was asked, or long enough."""

    def __init__(self, desk: Desk, miners: MinerPeer, news: asyncio.Event) -> None:
        """`news` is set by each block that registers a miner or moves one."""
        self._desk, self._news = desk, news
        self.instances = Instances(desk.time)
        self.looked = False
        self._miners = miners
        self._sightings: dict[bytes, Sighting] = {}
        seconds = desk.preset.epoch_seconds / 8
        self._interval = min(_INTERVAL_SECONDS_MAX, max(_INTERVAL_SECONDS_MIN, seconds))

    async def run(self) -> None:
        """Ask everybody, again and again, until cancelled."""
        loop = asyncio.get_running_loop()
        patience = loop.call_later(FIRST_ROUND_SECONDS_MAX, self._end_first_round)
        try:
            while True:
                asked = await self.refresh()
                await self._rest(max(self._interval, asked / ASKED_PER_SECOND_MAX))
        finally:
            patience.cancel()

    def _end_first_round(self) -> None:
        self.looked = True

    async def refresh(self) -> int:
        """Ask every registered miner once; how many."""
        asked = await self._ask_all(self._desk.view.miners())
        self._end_first_round()
        return asked

    async def _rest(self, seconds: float) -> None:
        """Until the next round; who is new or has moved is asked at once, and can be used."""
        rest = asyncio.ensure_future(self._desk.time.sleep(seconds))
        try:
            while not rest.done():
                news = asyncio.ensure_future(self._news.wait())
                await asyncio.wait({rest, news}, return_when=asyncio.FIRST_COMPLETED)
                news.cancel()
                if self._news.is_set():
                    self._news.clear()
                    await self._ask_all(
                        [(k, r) for k, r in self._desk.view.miners() if self.seen(k).url != r.url]
                    )
        finally:
            rest.cancel()

    async def _ask_all(self, miners: Sequence[tuple[bytes, MinerRow]]) -> int:
        turn = asyncio.Semaphore(ASKED_AT_ONCE_MAX)
        await asyncio.gather(*(self._ask(turn, key, row) for key, row in miners))
        return len(miners)

    def online(self, key: bytes) -> bool:
        """Whether the miner answered last time."""
        return self.seen(key).online

    def domain(self, key: bytes) -> str:
        """The failure domain of a registered miner, live or not."""
        return self._domain(self._desk.view.miner(key))

    def _domain(self, row: MinerRow) -> str:
        return failure_domain(row, declared=self._desk.preset.declared_domains)

    def candidates(self) -> list[Candidate]:
        """Live miners that stay, with their domain and what is free and not promised to others."""
        promised = self._desk.notebook.promised_bytes()
        return [
            Candidate(
                miner=key,
                domain=self._domain(row),
                free_bytes=max(0, self._sightings[key].free_bytes - promised.get(key, 0)),
            )
            for key, row in self._desk.view.miners()
            if self.online(key) and not row.drains and not self._sightings[key].draining
        ]

    def seen(self, key: bytes) -> Sighting:
        """A miner's last status."""
        return self._sightings.get(key, _NEVER)

    async def _ask(self, turn: asyncio.Semaphore, key: bytes, row: MinerRow) -> None:
        before = self._sightings.get(key, _NEVER)
        async with turn:
            asked = self._desk.time.wall()
            try:
                status = await self._miners.status(Peer(key, row.url))
                seen = self._seen(key, status)
            except CyberVeinError as error:
                seen = Sighting(
                    online=False, free_bytes=0, wall=before.wall, error=str(error)[:200]
                )
        self._sightings[key] = replace(seen, asked=asked, url=row.url)
        if seen.online != before.online:
            event = MinerEvent(miner=address(key), online=seen.online, reason=seen.error)
            self._desk.hub.publish(event)

    def _seen(self, key: bytes, status: StatusDocument) -> Sighting:
        """A status is believed only where it names the miner's own key."""
        if status.address != address(key):
            error = f"its URL answers as {status.address[:80]}; do two miners share a URL?"
            return Sighting(online=False, free_bytes=0, wall=0.0, error=error)
        return Sighting(
            online=True,
            free_bytes=status.free_bytes,
            wall=self._desk.time.wall(),
            error="",
            draining=status.draining,
            instance=status.instance[:INSTANCE_CHARS_MAX],
        )
