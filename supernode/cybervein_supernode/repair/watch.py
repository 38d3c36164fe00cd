"""Which shards need a new home: admitted lost, wrong, or on a miner silent beyond the grace.

Silence is counted in epochs in which this super node asked, so an outage of its own moves nothing.
"""

from cybervein_protocol.api.super_node.events import RepairEvent
from cybervein_protocol.ledger.state.rows import shard_id
from cybervein_protocol.signing import address
from msgspec import UNSET, UnsetType

from cybervein_supernode.chain.view import Shard
from cybervein_supernode.desk.desk import Desk
from cybervein_supernode.desk.notebook import Loss

SILENT = "silent beyond grace"


class SilenceWatch:
    """Turns silence into losses."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._queued: dict[bytes, int] = {}

    def note_silent(self, epoch: int) -> list[bytes]:
        """Queue the shards of miners whose grace is over; those miners' keys, once an epoch."""
        seen = self._desk.notebook.last_seen()
        silent: list[bytes] = []
        for key, row in self._desk.view.miners():
            if not row.held_shards or row.audit != "timeout":
                continue
            last = seen.get(key)
            if last is None:
                self._desk.notebook.mark_seen(key, row.audit_epoch - 1)
            elif row.audit_epoch - 1 - last > self._desk.preset.grace_epochs:
                if self._queued.get(key) != epoch:
                    silent.append(key)
                self._queue(key, epoch)
        return silent

    def _queue(self, key: bytes, epoch: int) -> None:
        """All its shards, once an epoch: it may have been given more while it was silent."""
        if self._queued.get(key) == epoch:
            return
        self._queued[key] = epoch
        for shard in self._desk.view.shards_of_miner(key):
            identity = shard_id(shard.deal, shard.segment, shard.index)
            self._desk.notebook.add_loss(Loss(identity, key, SILENT, epoch))

    def still_lost(self, loss: Loss) -> Shard | None:
        """The shard's row if it still needs a new home; else the loss is dropped.

        A silent miner that came back within the repair keeps what it holds.
        """
        deal, segment, index = loss.shard[:32], loss.shard[32:36], loss.shard[36]
        number = int.from_bytes(segment, "big")
        for shard in self._desk.view.shards_of_deal(deal):
            here = (shard.segment, shard.index) == (number, index)
            if here and shard.row.miner == loss.miner and not self._back(loss):
                return shard
        self._desk.notebook.drop_loss(loss.shard)
        return None

    def _back(self, loss: Loss) -> bool:
        if loss.reason != SILENT:
            return False
        return self._desk.notebook.last_seen().get(loss.miner, -1) >= loss.epoch


def name_of(shard: Shard) -> str:
    """A shard in words, for logs and events."""
    where = f"{shard.segment}/{shard.index} of deal {shard.deal.hex()[:16]}"
    return f"shard {where} at {address(shard.row.miner)}"


def repair_event(
    shard: Shard,
    outcome: str,
    *,
    to: str | UnsetType = UNSET,
    reason: str | UnsetType = UNSET,
    seconds: float | UnsetType = UNSET,
) -> RepairEvent:
    """What listeners are told of a shard that was rebuilt, moved, or could not be."""
    return RepairEvent(
        shard=shard.row.root.hex(),
        deal=shard.deal.hex(),
        segment=shard.segment,
        index=shard.index,
        from_=address(shard.row.miner),
        outcome=outcome,
        to=to,
        reason=reason,
        seconds=seconds,
    )
