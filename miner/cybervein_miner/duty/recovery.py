"""What a lost or old journal does not know, the ledger and the disks do: they fill it again.

Plots that are live on the ledger are taken over as they are there, claims of shards come back so
that their owners are served, and a drain continues. A plot that the ledger has and no disk here is
retired once every disk is there and it did not come within some epochs. One look for each way in
which the two differ, and one event; nothing is asked while they are in step.
"""

from dataclasses import dataclass, field
from typing import Final

import structlog
from cybervein_protocol.api.super_node.miners import FullMinerDocument
from cybervein_protocol.errors import UnknownError

from cybervein_miner.chain.sight import Sight
from cybervein_miner.chain.super_node import MinersSuperNode
from cybervein_miner.duty.accounting import about_absent, live_plots
from cybervein_miner.plot.batches import Batches
from cybervein_miner.plot.inventory import Inventory
from cybervein_miner.plot.recovery import (
    Difference,
    compare,
    counts_here,
    counts_on_ledger,
    digest_of,
)
from cybervein_miner.plot.takeover import Takeover
from cybervein_miner.shard.claims import ClaimsBack

PATIENCE_EPOCHS: Final = 2
_Compared = tuple[dict[bytes, int], dict[bytes, int], int]
_log = structlog.get_logger()


@dataclass(kw_only=True, eq=False)
class Recovery:
    """Compares after every answer of the ledger; `look` acts where something differs."""

    inventory: Inventory
    batches: Batches
    takeover: Takeover
    claims: ClaimsBack
    super_node: MinersSuperNode
    sight: Sight
    _looked: _Compared | None = None
    _absent_since: dict[int, int] = field(default_factory=dict)

    def account(self, view: FullMinerDocument | None) -> None:
        """As long as ledger and journal agree, or it knows no such miner, no plot is elsewhere."""
        there, here = self._difference(view)[:2] if view is not None else ({}, {})
        if there == here or not there:
            self.inventory.rack.unaccounted.learn(0)

    def due(self, view: FullMinerDocument) -> bool:
        """Whether ledger and journal differ in a way that was not looked at in this epoch."""
        return self._plots_due(view) or self.claims.due(view.held_shards, self.sight.epoch)

    async def look(self, view: FullMinerDocument, *, contested: bool) -> None:
        """Take over what the ledger knows better; `contested`: another runs as this miner."""
        if self.claims.due(view.held_shards, self.sight.epoch):
            await self.claims.look(view.held_shards)
        if not self._plots_due(view):
            return
        self._looked, unaccounted = self._difference(view), self.inventory.rack.unaccounted
        try:
            live = await live_plots(self.super_node, self.inventory.miner)
        except UnknownError:  # a super node of 0.2.0 cannot tell which
            unaccounted.learn(about_absent(self.inventory, view.batches))
            return
        found = compare(live, self.inventory.rows(), view.batches)
        self.inventory.reserve_numbers(max(live, default=-1))
        await self._take_over(found, view)
        unaccounted.learn(len(found.absent))
        passed = {digest_of(batch) for batch in view.batches if batch.state == "active"}
        absent = [number for number in found.absent if live[number].batch in passed]
        await self._retire_absent([] if contested else absent)
        self._looked = self._difference(view)

    def _plots_due(self, view: FullMinerDocument) -> bool:
        there, here = self._difference(view)[:2]
        return there != here and self._looked != self._difference(view)

    def _difference(self, view: FullMinerDocument) -> _Compared:
        here = counts_here(self.inventory.rows())
        return counts_on_ledger(view.batches), here, self.sight.epoch

    async def _take_over(self, found: Difference, view: FullMinerDocument) -> None:
        waiting = {digest_of(batch) for batch in view.batches if batch.state == "pending"}
        await self.takeover.fetch(waiting & {batch for _, batch in found.theirs})
        self.takeover.adopt(found.theirs)
        self.takeover.unlist(found.unlisted)
        self.batches.follow(view)
        if found.theirs or found.unlisted:
            _log.warning(
                "the ledger knew more than the journal; plots are taken over from it",
                counting_again=len(found.theirs),
                to_register_again=len(found.unlisted),
            )

    async def _retire_absent(self, absent: list[int]) -> None:
        """Plots on no disk here: what is not mounted yet may still bring them."""
        epoch = self.sight.epoch
        new = set(absent) - self._absent_since.keys()
        self._absent_since = {n: self._absent_since.get(n, epoch) for n in absent}
        if new:
            _log.warning(
                "the ledger has plots that are on no disk here; they are retired if they do not "
                "come",
                plots=len(absent),
                after_epochs=PATIENCE_EPOCHS,
            )
        ripe = [n for n, since in self._absent_since.items() if epoch - since >= PATIENCE_EPOCHS]
        rack = self.inventory.rack
        if ripe and not rack.refused and all(d.readable or d.drained for d in rack.disks):
            await self.takeover.retire(ripe)
