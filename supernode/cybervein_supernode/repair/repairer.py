"""Repairs: everything queued, a few at a time, again next epoch if it failed.

A shard that cannot be rebuilt for several epochs is given up in the ledger (`shard.lost`): nobody
is paid for it and its deal shows `degraded`. It is still tried, and a late success brings it back.
"""

import asyncio
from collections.abc import Sequence

import structlog
from cybervein_protocol.api.super_node.events import RepairEvent
from cybervein_protocol.errors import CyberVeinError
from cybervein_protocol.ledger.storage.bodies import ShardLost
from cybervein_protocol.signing import address
from cybervein_runtime.duty import Figure

from cybervein_supernode.chain.view import Shard
from cybervein_supernode.desk.desk import Desk
from cybervein_supernode.desk.notebook import Loss
from cybervein_supernode.repair.rebuild import Rebuilder
from cybervein_supernode.repair.watch import SilenceWatch, name_of, repair_event

_log = structlog.get_logger()
REPAIRS_AT_ONCE = 2
"""A repair holds k + 1 shards in memory."""
GIVE_UP_EPOCHS = 3
PAUSE_SECONDS = 1.0


class Repairer:
    """Runs beside the epochs: a repair may outlast one."""

    def __init__(self, desk: Desk, watch: SilenceWatch, rebuilder: Rebuilder) -> None:
        self._desk = desk
        self._watch = watch
        self._rebuilder = rebuilder
        self._turn = asyncio.Semaphore(REPAIRS_AT_ONCE)
        self._tried: set[bytes] = set()
        self._height = -1
        self._epoch = -1

    async def run(self) -> None:
        """Until cancelled: note who is silent, repair what is queued, each once per epoch."""
        while True:
            head = self._desk.view.head()
            if head.height != self._height:
                await self._look(head.epoch)
                self._height = head.height
            await self._desk.time.sleep(PAUSE_SECONDS)

    def figures(self) -> Sequence[Figure]:
        """How much waits for repair."""
        losses = len(self._desk.notebook.losses())
        return (Figure("waiting_repairs", "Shards that wait for repair.", losses),)

    async def _look(self, epoch: int) -> None:
        if epoch != self._epoch:
            self._epoch, self._tried = epoch, set()
        for key in await self._desk.judge(lambda: self._watch.note_silent(epoch)):
            _log.warning("miner silent beyond grace; its shards are rebuilt", miner=address(key))
        losses = [x for x in self._desk.notebook.losses() if x.shard not in self._tried]
        self._tried |= {loss.shard for loss in losses}
        await asyncio.gather(*(self._handle(epoch, loss) for loss in losses))

    async def _handle(self, epoch: int, loss: Loss) -> None:
        async with self._turn:
            shard = await self._desk.judge(lambda: self._watch.still_lost(loss))
            if shard is None:
                return
            began = self._desk.time.monotonic()
            try:
                target = await self._rebuilder.rebuild(shard)
            except CyberVeinError as error:
                await self._failed(epoch, loss, shard, error)
                return
            self._desk.notebook.drop_loss(loss.shard)
            seconds = round(self._desk.time.monotonic() - began, 3)
            self._told(repair_event(shard, "rebuilt", to=address(target), seconds=seconds))

    async def _failed(self, epoch: int, loss: Loss, shard: Shard, error: CyberVeinError) -> None:
        """Try again next epoch; after some, stop paying for it."""
        _log.warning("repair failed", shard=name_of(shard), error=str(error))
        self._told(repair_event(shard, "failed", reason=str(error)[:300]))
        if shard.row.lost or epoch - loss.epoch < GIVE_UP_EPOCHS:
            return
        body = ShardLost(
            deal=self._rebuilder.deal_cid(shard),
            segment=shard.segment,
            index=shard.index,
            from_=shard.row.miner,
            reason=loss.reason,
        )
        try:
            await self._desk.engine.issue(body)
        except CyberVeinError as lost_error:
            _log.warning("shard.lost not issued", error=str(lost_error))

    def _told(self, event: RepairEvent) -> None:
        self._desk.tally.add("repairs", event.outcome)
        self._desk.hub.publish(event)
