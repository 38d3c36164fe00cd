"""Disks on their way out: what is needed moves to other disks, what finds no room to other miners.

A leaving disk is done when no plot on it is in a unit of the ledger and no shard on it is needed:
held by the ledger's word, or claimed by a deal that is still being uploaded. Shards that moved to
other miners stay readable on it as long as the disk is there.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import structlog
from cybervein_protocol.api.miner.disks import RemainingWork
from cybervein_protocol.encoding import cid_text
from cybervein_protocol.errors import CyberVeinError
from cybervein_protocol.messages.release import RELEASE_SHARDS_MAX
from cybervein_protocol.signing import KeyPair
from cybervein_runtime.parameters import parse_root
from multiformats import CID

from cybervein_miner.chain.super_node import MinersSuperNode
from cybervein_miner.disk.disk import Disk
from cybervein_miner.disk.rack import Rack
from cybervein_miner.disk.threads import Lanes
from cybervein_miner.plot.inventory import Inventory, needs_ledger
from cybervein_miner.shard.index import HeldShard
from cybervein_miner.shard.store import ShardStore
from cybervein_miner.shard.vacate import Vacater

NOTHING_REMAINS: Final = RemainingWork(plots=0, shards=0, bytes=0)
REPEAT_SECONDS: Final = 2.0
"""A request for relief is repeated that often, as the answer says how far it is."""
STEP_SECONDS_MAX: Final = 60.0
_log = structlog.get_logger()


@dataclass(kw_only=True, eq=False)
class Leaving:
    """Empties leaving disks and gives them up."""

    rack: Rack
    store: ShardStore
    inventory: Inventory
    vacater: Vacater
    super_node: MinersSuperNode
    key: KeyPair
    monotonic: Callable[[], float] = time.monotonic
    blocked_by: str = ""
    _asked: list[bytes] | None = None  # what the super node was told; None: unknown
    _again: float = 0.0
    _lanes: Lanes = field(default_factory=lambda: Lanes("empty disk"))
    _gone: dict[str, dict[bytes, int]] = field(default_factory=dict)
    """By disk: bytes by root of what is needed no more here."""

    def remaining(self, disk: Disk) -> RemainingWork:
        """About what still keeps the disk; nothing where it is not leaving."""
        if not disk.leaving:
            return NOTHING_REMAINS
        gone = self._gone.get(disk.id, {})
        totals = self.store.index.totals(disk.id)
        shards, size = totals.shards - len(gone), totals.bytes - sum(gone.values())
        return RemainingWork(self._plots(disk), max(0, shards), max(0, size))

    def _plots(self, disk: Disk) -> int:
        return sum(r.disk == disk.id and needs_ledger(r) for r in self.inventory.rows())

    def give_up_if_done(self, disk: Disk) -> bool:
        """Make the disk `drained` if nobody needs anything on it (blocks); whether that is so."""
        if not disk.leaving or self._plots(disk) or self._needed(disk, 1):
            return disk.drained
        self.rack.give_up(disk)
        self._gone.pop(disk.id, None)
        _log.info("disk is drained", path=str(disk.path))
        return True

    def _needed(self, disk: Disk, most: int) -> list[HeldShard]:
        """The first shards on the disk that are needed here, exactly."""
        gone = self._gone.get(disk.id, {})
        rows = self.store.index.on_disk(disk.id, most + len(gone))
        return [row for row in rows if row.root not in gone][:most]

    async def round(self, *, reachable: bool, local: bool) -> bool:
        """One step for every leaving disk; whether more can be done at once.

        `local`: the miner stays, so shards may go to its other disks. What fails is said and
        tried again.
        """
        leaving = [disk for disk in self.rack.disks if disk.leaving]
        moved = 0
        try:
            if local:
                work = {disk.id: partial(self.vacater.step, disk) for disk in leaving}
                steps = await asyncio.to_thread(self._lanes.run, work, STEP_SECONDS_MAX)
                moved = sum(steps.values())
            there = [disk for disk in leaving if not self._lanes.busy(disk.id)]
            if not moved and reachable:
                await self._relieve(there)
            for disk in there:
                await asyncio.to_thread(self.give_up_if_done, disk)
        except CyberVeinError as error:
            _log.warning("disks cannot be emptied yet", error=str(error))
        return bool(moved)

    async def _relieve(self, leaving: list[Disk]) -> None:
        """Tell the super node what has no room here, and learn what is no longer needed here."""
        rows = [row for disk in leaving for row in self._needed(disk, RELEASE_SHARDS_MAX)]
        roots = [row.root for row in rows[:RELEASE_SHARDS_MAX]]
        now = self.monotonic()
        if roots == self._asked and (not roots or now < self._again):
            return
        answer = await self.super_node.release_own(self.key, roots)
        self._asked, self._again = roots, now + REPEAT_SECONDS
        self.blocked_by = answer.blocked_by if roots else ""
        held = {parse_root(root) for root in answer.shards}
        uploading: dict[CID, bool] = {}
        for row in rows[:RELEASE_SHARDS_MAX]:
            if row.root not in held and not await self._being_uploaded(row.root, uploading):
                self._gone.setdefault(row.disk, {})[row.root] = row.size

    async def _being_uploaded(self, root: bytes, known: dict[CID, bool]) -> bool:
        """Whether a deal that claims the shard is open: its commit may name this miner yet."""
        for claim in self.store.index.claims(root):
            if claim.deal not in known:
                deal = await self.super_node.deal(cid_text(claim.deal))
                known[claim.deal] = deal is not None and deal.state == "open"
            if known[claim.deal]:
                return True
        return False
