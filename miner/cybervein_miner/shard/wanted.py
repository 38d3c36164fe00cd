"""Does anybody still want these shards? Slowly, deal by deal, the ledger is asked.

A shard goes to the trash only if the ledger itself says, for a whole grace period, that its deal
is over or that another miner holds it now. A super node that is away, unknown deals of a young
ledger and answers that cannot be read change nothing: storage is cheap, customers' bytes are not.
"""

import time
from collections.abc import Callable
from typing import Final

import structlog
from cybervein_protocol.encoding import cid_text
from multiformats import CID

from cybervein_miner.chain.super_node import MinersSuperNode
from cybervein_miner.shard.store import ShardStore

DEALS_PER_LOOK: Final = 8
_log = structlog.get_logger()


class WantedShards:
    """Compares claims with the ledger; `grace_seconds` must pass between first doubt and trash."""

    def __init__(
        self,
        store: ShardStore,
        super_node: MinersSuperNode,
        grace_seconds: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._super_node = store, super_node
        self._grace, self._monotonic = grace_seconds, monotonic
        self._turn: list[CID] = []
        self._doubted: dict[tuple[CID, bytes], float] = {}

    async def look(self) -> int:
        """Ask about the next few deals; how many shards went to the trash."""
        if not self._turn:
            self._turn = self._store.index.deals()
        turn, self._turn = self._turn[:DEALS_PER_LOOK], self._turn[DEALS_PER_LOOK:]
        return sum([await self._deal(deal) for deal in turn])

    async def _deal(self, deal: CID) -> int:
        self._forget_doubts(deal)
        view = await self._super_node.deal(cid_text(deal))
        if view is None or view.state == "open":
            return 0
        wanted = set() if view.state == "ended" else await self._super_node.own_roots(deal)
        roots = self._store.index.roots_of(deal)
        for root in roots & wanted:
            self._doubted.pop((deal, root), None)
        since = self._store.claimed_again  # while the ledger was asked: its answer is older
        ripe = [root for root in roots - wanted - since if self._ripe(deal, root)]
        for root in ripe:
            await self._store.delete(root, deal)
            self._doubted.pop((deal, root), None)
        if ripe:
            _log.info("shards are no longer needed", deal=cid_text(deal), shards=len(ripe))
        return len(ripe)

    def _forget_doubts(self, deal: CID) -> None:
        """A shard that came back begins its grace anew."""
        for root in self._store.index.roots_of(deal) & self._store.claimed_again:
            self._doubted.pop((deal, root), None)
            self._store.claimed_again.discard(root)

    def _ripe(self, deal: CID, root: bytes) -> bool:
        now = self._monotonic()
        return now - self._doubted.setdefault((deal, root), now) >= self._grace
