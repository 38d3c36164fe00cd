"""A file's deals: opened ahead of their uploads, resumed after a crash, verified, committed."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count

from cybervein_protocol.amounts import coins
from cybervein_protocol.coding import repair_key
from cybervein_protocol.encoding import cid_text, node_cid, parse_cid
from cybervein_protocol.errors import (
    CyberVeinError,
    FundsError,
    StorageError,
    UnavailableError,
)
from cybervein_protocol.ledger.storage.bodies import DealCommit, DealOpen
from cybervein_protocol.ledger.units.genesis import Genesis
from cybervein_protocol.messages import RepairBox, SegmentEntry, encode_repair, verify_verification
from cybervein_protocol.names import Veins
from cybervein_protocol.signing import KeyPair, address
from multiformats import CID
from nacl.public import PublicKey, SealedBox

from cybervein_client.catalogue import Catalogue, CatalogueDeal, DealState, FileRow, SegmentRow
from cybervein_client.ledger import CustomersSuperNode, UnitSender
from cybervein_client.upload.plan import DealPlan, deal_price, plan_deal, segments_per_deal


@dataclass(kw_only=True, eq=False)
class FileDeals:
    """Opens and commits the deals of one file."""

    catalogue: Catalogue
    supernode: CustomersSuperNode
    units: UnitSender
    key: KeyPair
    genesis: Genesis
    file: FileRow
    _opening: dict[int, asyncio.Task[CatalogueDeal]] = field(init=False, default_factory=dict)

    async def resume(self) -> None:
        """Settle what a crash left between: units that may be in a block, deals that expired."""
        for deal in self.catalogue.deals(self.file.id):
            if deal.state is DealState.OPENING:
                await self._resume_open(deal)
            elif deal.state in {DealState.OPEN, DealState.ACTIVE, DealState.ENDED}:
                await self._keep_or_drop(deal)
            elif deal.state is DealState.COMMITTING and deal.commit_unit is not None:
                await self._resume_commit(deal, deal.commit_unit)

    async def _resume_open(self, deal: CatalogueDeal) -> None:
        try:
            await self.units.settle(parse_cid(deal.cid, "deal"), deal.open_unit)
        except (UnavailableError, StorageError):
            raise
        except CyberVeinError:  # void, or refused (its nonce is used): nothing is escrowed
            if await self.supernode.deal(deal.cid) is None:
                self.catalogue.drop_deal(deal)
                return
        self.catalogue.set_deal_state(deal, DealState.OPEN)
        await self._keep_or_drop(deal)

    async def _resume_commit(self, deal: CatalogueDeal, unit: bytes) -> None:
        commit = node_cid(unit)
        try:
            await self.units.settle(commit, unit)
        except UnavailableError:
            raise
        except CyberVeinError:  # void or refused: the deal is still open, or was refunded
            self.catalogue.set_deal_state(deal, DealState.OPEN)
        await self._keep_or_drop(deal)

    async def _keep_or_drop(self, deal: CatalogueDeal) -> None:
        """A deal that the ledger ended in the meantime stores nothing: start it anew."""
        known = await self.supernode.deal(deal.cid)
        if known is not None and known.state == "active":
            self.catalogue.set_deal_state(deal, DealState.ACTIVE)
        elif known is None or known.state != "open":
            self.catalogue.drop_deal(deal)

    async def of_segment(self, number: int) -> CatalogueDeal:
        """The deal that segment `number` belongs to, open (or further)."""
        for deal in self.catalogue.deals(self.file.id):
            if deal.first <= number < deal.first + deal.segments:
                if deal.state is not DealState.OPENING:
                    self._open_ahead(deal)
                    return deal
                return await self._task(deal.first, deal.ordinal)
        return await self._task(number, self._free_ordinal())

    def _free_ordinal(self) -> int:
        """The next deal's, or that of a deal which was dropped from between others."""
        used = {deal.ordinal for deal in self.catalogue.deals(self.file.id)}
        return next(ordinal for ordinal in count() if ordinal not in used)

    def _open_ahead(self, deal: CatalogueDeal) -> None:
        """Open the next deal of a file of known size while this one is uploaded."""
        following = deal.first + deal.segments
        if self.file.size is None or not self._plan(following, deal.ordinal + 1).segments:
            return
        if all(d.first != following for d in self.catalogue.deals(self.file.id)):
            self._start(following, deal.ordinal + 1)

    async def _task(self, first: int, ordinal: int) -> CatalogueDeal:
        deal = await self._start(first, ordinal)
        self._open_ahead(deal)
        return deal

    def _start(self, first: int, ordinal: int) -> asyncio.Task[CatalogueDeal]:
        if first not in self._opening:
            self._opening[first] = asyncio.create_task(self._open(self._plan(first, ordinal)))
        return self._opening[first]

    def _plan(self, first: int, ordinal: int) -> DealPlan:
        file = self.file
        most = segments_per_deal(file.n, self.genesis.preset, len(self.genesis.super_nodes))
        return plan_deal(ordinal, first, plaintext=file.size, k=file.k, n=file.n, most=most)

    async def _open(self, plan: DealPlan) -> CatalogueDeal:
        escrow = plan.escrow(self.file.epochs, self.genesis.preset)
        await self._require_funds(deal_price(plan, self.file.epochs, self.file.n, self.genesis))
        body = DealOpen(
            size=plan.size,
            segments=plan.segments,
            k=self.file.k,
            n=self.file.n,
            epochs=self.file.epochs,
            escrow=escrow,
        )

        def record(unit: CID, raw: bytes) -> None:
            self.catalogue.add_deal(self._row(plan, unit, raw, escrow))

        await self.units.send(body, record)
        [row] = [d for d in self.catalogue.deals(self.file.id) if d.ordinal == plan.ordinal]
        self.catalogue.set_deal_state(row, DealState.OPEN)
        return row

    def _row(self, plan: DealPlan, unit: CID, raw: bytes, escrow: int) -> CatalogueDeal:
        return CatalogueDeal(
            file=self.file.id,
            ordinal=plan.ordinal,
            first=plan.first,
            segments=plan.segments,
            cid=cid_text(unit),
            open_unit=raw,
            commit_unit=None,
            escrow=escrow,
            state=DealState.OPENING,
        )

    async def _require_funds(self, price: Veins) -> None:
        account = await self.supernode.account(address(self.key.public))
        if account.balance < price:
            decimals = self.genesis.preset.coin_decimals
            has, needed = coins(account.balance, decimals), coins(price, decimals)
            raise FundsError(
                f"wallet {address(self.key.public)} has {has} coins; storing for "
                f"{self.file.epochs} epochs escrows {needed} with its fees: pay coins in, or "
                "choose fewer --epochs"
            )

    async def commit(self, deal: CatalogueDeal, segments: Sequence[SegmentRow]) -> None:
        """Have the deal's segments verified and commit them; the deal is active afterwards."""
        cid = parse_cid(deal.cid, "deal")
        entries: list[SegmentEntry] = [row.entry() for row in segments]
        verification = await self.supernode.verify(cid, entries)
        verify_verification(verification, cid, entries)
        body = DealCommit(
            deal=cid,
            repair=self._sealed([repair_key(self.file.file_key, row.salt) for row in segments]),
            segments=entries,
            verification=verification,
        )
        await self.units.send(body, lambda _, raw: self.catalogue.set_commit(deal, raw))
        self.catalogue.set_deal_state(deal, DealState.ACTIVE)

    def _sealed(self, keys: list[bytes]) -> bytes:
        joined = b"".join(keys)
        return encode_repair(
            [
                RepairBox(super=node.key, box=SealedBox(PublicKey(node.seal)).encrypt(joined))
                for node in self.genesis.super_nodes
            ]
        )

    def cancel(self) -> None:
        """Stop opening ahead; what went wrong there has been said or no longer matters."""
        for task in self._opening.values():
            if not task.cancel() and not task.cancelled():
                task.exception()
