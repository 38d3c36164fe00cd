"""Whole shards from their miners, each checked by its root: the k that answer first."""

import asyncio

from blake3 import blake3
from cybervein_protocol.errors import ConflictError, CyberVeinError, ProofError
from cybervein_protocol.ledger.state.rows import shard_id

from cybervein_supernode.chain.view import Shard
from cybervein_supernode.desk.desk import Desk
from cybervein_supernode.peers.miner_client import MinerPeer, Peer
from cybervein_supernode.placement.roster import Roster

TRANSFER_SECONDS_MAX = 300.0
FETCH_EXTRA = 1
"""Helpers asked beyond k at once, so that one slow miner does not hold a repair up."""


class HelperGatherer:
    """Reads shards for repairs."""

    def __init__(self, desk: Desk, roster: Roster, miners: MinerPeer) -> None:
        self._desk, self._roster, self._miners = desk, roster, miners

    async def fetch(self, k: int, siblings: list[Shard]) -> dict[int, bytes]:
        """K verified shards by index, from whoever answers first."""
        missing = {loss.shard for loss in self._desk.notebook.losses()}
        usable = [s for s in siblings if identity_of(s) not in missing]
        usable.sort(key=lambda s: not self._roster.online(s.row.miner))
        found: dict[int, bytes] = {}
        waiting = iter(usable)
        running = {
            asyncio.create_task(self.one(shard))
            for shard, _ in zip(waiting, range(k + FETCH_EXTRA), strict=False)
        }
        try:
            while running and len(found) < k:
                done, running = await asyncio.wait(running, return_when="FIRST_COMPLETED")
                for task in done:
                    _take(task, found)
                    if len(found) < k and (spare := next(waiting, None)) is not None:
                        running.add(asyncio.create_task(self.one(spare)))
        finally:
            for task in running:
                task.cancel()
        if len(found) < k:
            raise ConflictError(
                f"only {len(found)} of the {k} shards needed answer with the right bytes"
            )
        return found

    async def one(self, shard: Shard) -> tuple[int, bytes]:
        """(index, bytes) of a whole shard under its root."""
        view, size = self._desk.view, shard.row.size
        peer = Peer(shard.row.miner, view.miner(shard.row.miner).url)
        epoch = view.head().epoch + 1
        order = self._miners.order(
            peer, "GET", shard.row.root, max_bytes=size, not_after_epoch=epoch
        )
        data = await self._miners.get_shard(peer, order, size, TRANSFER_SECONDS_MAX)
        digest = await self._desk.judge(lambda: blake3(data).digest())
        if digest != shard.row.root:
            raise ProofError(f"shard {shard.row.root.hex()[:16]}: other bytes than its root says")
        return shard.index, data


def _take(task: asyncio.Task[tuple[int, bytes]], found: dict[int, bytes]) -> None:
    error = task.exception()
    if error is None:
        index, data = task.result()
        found[index] = data
    elif not isinstance(error, CyberVeinError):
        raise error


def identity_of(shard: Shard) -> bytes:
    """The id of its ledger row."""
    return shard_id(shard.deal, shard.segment, shard.index)
