"""Ending a file: deals are closed, miners told, the key forgotten; any step can be repeated.

A deal that is not on the ledger, or has ended there, has nothing to close: asking costs nothing,
a unit that is voided would.
"""

import asyncio
from dataclasses import dataclass
from typing import Final

from cybervein_protocol.encoding import parse_cid
from cybervein_protocol.errors import ConflictError, CyberVeinError, UnavailableError
from cybervein_protocol.ledger.storage.bodies import DealClose
from cybervein_protocol.names import Veins
from msgspec import UNSET

from cybervein_client.catalogue import Catalogue, CatalogueDeal, DealState, FileRow, FileState
from cybervein_client.download import Locator
from cybervein_client.download.fetch import ShardFetcher
from cybervein_client.ledger import CustomersSuperNode, UnitSender
from cybervein_client.transport import ShardAt

_DELETES_AT_ONCE: Final = 16


@dataclass(frozen=True, slots=True)
class Removal:
    """What a removal came to: miners that were not reached, veins that came back."""

    miners_not_reached: int
    refunded: Veins


@dataclass(kw_only=True, eq=False)
class Remover:
    """Ends files of one wallet."""

    catalogue: Catalogue
    supernode: CustomersSuperNode
    units: UnitSender
    locator: Locator
    fetcher: ShardFetcher

    async def refund(self, file: FileRow) -> Veins:
        """What would come back now, as the ledger reckons it."""
        total = 0
        for deal in self.catalogue.deals(file.id):
            known = await self.supernode.deal(deal.cid)
            if known is not None and known.state != "ended":
                told = known.refund  # a super node of 0.2.0 does not say
                total += known.escrow - known.spent if told is UNSET else told
        return Veins(total)

    async def remove(self, file: FileRow) -> Removal:
        """Close the deals, delete the shards, forget the key.

        A removal that was interrupted tells also what came back for deals it had closed before.
        """
        resumed = file.state is FileState.REMOVING
        self.catalogue.set_file_state(file.id, FileState.REMOVING)
        placed = await self.locator.locate(file)
        refunded = 0
        for deal in self.catalogue.deals(file.id):
            closed = deal.state is not DealState.CLOSED and await self._close(deal)
            self.catalogue.set_deal_state(deal, DealState.CLOSED)
            if closed or resumed:
                ended = await self.supernode.deal(deal.cid)
                refunded += 0 if ended is None else ended.refunded
        missed = await self._delete([at for row in placed.values() for at in row.values()])
        self.catalogue.forget_file(file.id)
        return Removal(missed, Veins(refunded))

    async def _close(self, deal: CatalogueDeal) -> bool:
        """Close a deal that is open or active on the ledger; whether there was one to close."""
        if deal.state is DealState.OPENING:
            await self._settle_open(deal)
        known = await self.supernode.deal(deal.cid)
        if known is None or known.state == "ended":
            return False
        try:
            await self.units.send(DealClose(deal=parse_cid(deal.cid, "deal")))
        except ConflictError:  # it ended between the two
            return False
        return True

    async def _settle_open(self, deal: CatalogueDeal) -> None:
        """An open that the super node has becomes final first; one it never got is not sent."""
        if await self.supernode.unit(deal.cid) is None:
            return
        try:
            await self.units.settle(parse_cid(deal.cid, "deal"), deal.open_unit)
        except UnavailableError:
            raise
        except CyberVeinError:  # void: nothing is escrowed
            return

    async def _delete(self, shards: list[tuple[str, ShardAt]]) -> int:
        """Tell every miner; how many were not reached."""
        gate = asyncio.Semaphore(_DELETES_AT_ONCE)

        async def delete(deal: str, shard: ShardAt) -> bool:
            async with gate:
                try:
                    await self.fetcher.delete(deal, shard)
                except CyberVeinError:
                    return False
                return True

        done = await asyncio.gather(*(delete(deal, shard) for deal, shard in shards))
        return len({at[1].miner for at, ok in zip(shards, done, strict=True) if not ok})
