"""One segment's shards to their miners: orders, transfers, receipts, another miner on failure."""

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from cybervein_protocol.audit import CHUNK_BYTES, Held
from cybervein_protocol.encoding import cid_text
from cybervein_protocol.errors import (
    ConflictError,
    CyberVeinError,
    ExpiredError,
    ReplayError,
    SignatureError,
    UnavailableError,
)
from cybervein_protocol.messages import (
    OrderGrant,
    Receipt,
    ShardEntry,
    ShardPlan,
    verify_receipt,
)
from cybervein_protocol.signing import address
from cybervein_runtime.retry import backoff_seconds
from multiformats import CID

from cybervein_client.catalogue import SegmentRow
from cybervein_client.download.fetch import ShardFetcher
from cybervein_client.ledger import CustomersSuperNode
from cybervein_client.transport import BulkTransport, ShardAt
from cybervein_client.upload.budget import ByteBudget

ROUNDS_MAX = 7
_PAUSE_SECONDS = 0.7
"""Doubled from round to round: half a minute in all, enough for a miner to restart and be seen."""


@dataclass(slots=True)
class Failures:
    """Miners that failed during this put, with the last error of each; `by_miner` are avoided."""

    by_miner: dict[bytes, str] = field(default_factory=dict)
    seen: dict[bytes, str] = field(default_factory=dict)

    def note(self, miner: bytes, error: CyberVeinError) -> None:
        """Remember a failure; an order that ran out is not the miner's fault."""
        if not isinstance(error, ExpiredError | ReplayError):
            self.by_miner[miner] = self.seen[miner] = str(error)

    def forgive(self) -> None:
        """Nobody else is left: miners that failed are asked again."""
        self.by_miner.clear()

    def text(self) -> str:
        """All that failed, in one line."""
        return "; ".join(f"{address(miner)}: {why}" for miner, why in self.seen.items())


@dataclass(kw_only=True, eq=False)
class ShardUploader:
    """Uploads the shards of one deal's segments."""

    supernode: CustomersSuperNode
    transport: BulkTransport
    fetcher: ShardFetcher
    network: CID
    budget: ByteBudget
    failures: Failures = field(init=False, default_factory=Failures)
    _granted: bool = field(init=False, default=False)

    async def upload(
        self, deal: CID, segment: int, shards: dict[int, bytes], roots: Sequence[bytes]
    ) -> tuple[ShardEntry, ...]:
        """Place and upload every shard; entries by index. `segment` counts within the deal.

        A shard leaves `shards`, and its bytes the budget, when its receipt is there.
        Raises ConflictError when miners run out, UnavailableError after `ROUNDS_MAX` rounds.
        """
        done: dict[int, ShardEntry] = {}
        for turn in range(ROUNDS_MAX):
            plans = [
                ShardPlan(segment=segment, index=index, root=root, size=len(shards[index]))
                for index, root in enumerate(roots)
                if index not in done
            ]
            if not plans:
                return tuple(done[index] for index in range(len(roots)))
            grants = await self._grants(deal, plans, turn)
            await asyncio.gather(*(self._one(deal, g, shards, done) for g in grants))
        if len(done) == len(roots):
            return tuple(done[index] for index in range(len(roots)))
        raise UnavailableError(
            f"segment {segment}: {len(roots) - len(done)} shards found no miner in {ROUNDS_MAX} "
            f"rounds ({self.failures.text()}); run the same put again, it continues from here"
        )

    async def lost(self, deal: CID, row: SegmentRow) -> bool:
        """Whether a miner does not give back a random chunk of its shard; it is avoided then."""
        urls = await self.supernode.miner_urls()

        async def check(entry: ShardEntry) -> bool:
            shard = ShardAt(entry.root, entry.size, entry.miner, urls.get(entry.miner, ""))
            chunk = secrets.randbelow(Held(entry.root, entry.size).chunks)
            try:
                await self.fetcher.part(cid_text(deal), shard, chunk * CHUNK_BYTES, CHUNK_BYTES)
            except CyberVeinError as error:
                self.failures.note(entry.miner, error)
                return True
            return False

        return any(await asyncio.gather(*(check(entry) for entry in row.shards)))

    async def _grants(self, deal: CID, plans: list[ShardPlan], turn: int) -> list[OrderGrant]:
        """Orders for these shards; none where missing miners must be given time to come back.

        A refusal is final if no shard of this put could be placed yet.
        """
        try:
            grants = await self.supernode.orders(deal, plans, list(self.failures.by_miner))
        except ConflictError as error:
            hopeless = not self._granted and not self.failures.seen
            if turn + 1 == ROUNDS_MAX or hopeless:
                raise ConflictError(f"{error} {self.failures.text()}".rstrip()) from error
            self.failures.forgive()
            await asyncio.sleep(backoff_seconds(turn, base_seconds=_PAUSE_SECONDS))
            return []
        self._granted = True
        wanted = {(plan.segment, plan.index): plan for plan in plans}
        return [g for g in grants if _serves(g, wanted.get((g.segment, g.index)))]

    async def _one(
        self,
        deal: CID,
        grant: OrderGrant,
        shards: dict[int, bytes],
        done: dict[int, ShardEntry],
    ) -> None:
        order, index = grant.order, grant.index
        size = len(shards[index])
        shard = ShardAt(order.root, size, order.miner, grant.url)
        try:
            receipt = await self.transport.put(shard, grant.segment, index, order, shards[index])
            self._check(receipt, deal, grant, size)
        except CyberVeinError as error:
            self.failures.note(order.miner, error)
            return
        done[index] = ShardEntry(root=order.root, miner=order.miner, size=size, receipt=receipt.sig)
        del shards[index]
        await self.budget.give(size)

    def _check(self, receipt: Receipt, deal: CID, grant: OrderGrant, size: int) -> None:
        """Raise SignatureError unless the receipt is for exactly this shard of this deal."""
        expected = (
            self.network,
            deal,
            grant.segment,
            grant.index,
            grant.order.root,
            size,
            grant.order.miner,
        )
        actual = (
            receipt.network,
            receipt.deal,
            receipt.segment,
            receipt.index,
            receipt.root,
            receipt.size,
            receipt.miner,
        )
        if actual != expected:
            raise SignatureError(
                f"miner {address(grant.order.miner)} signed a receipt for something else than "
                f"shard {grant.order.root.hex()[:16]}; it is tried elsewhere"
            )
        verify_receipt(receipt)


def _serves(grant: OrderGrant, plan: ShardPlan | None) -> bool:
    return plan is not None and grant.order.root == plan.root and grant.order.verb == "PUT"
