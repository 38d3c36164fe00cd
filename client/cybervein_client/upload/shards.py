"""One segment's shards to their miners: orders, transfers, receipts, another miner on failure."""

import asyncio
import secrets
from collections.abc import Callable, Sequence
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
from cybervein_client.transport import BulkTransport, Sending, ShardAt
from cybervein_client.upload.budget import ByteBudget
from cybervein_client.upload.uplink import Uplink

ROUNDS_MAX = 7
_PAUSE_SECONDS = 0.7
"""Doubled from round to round: half a minute in all, enough for a miner to restart and be seen."""


@dataclass(slots=True)
class UploadFailures:
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

    def explain(self, error: CyberVeinError) -> CyberVeinError:
        """The error, with all that failed as notes of it."""
        for miner, why in self.seen.items():
            error.add_note(why if address(miner) in why else f"miner {address(miner)}: {why}")
        return error


@dataclass(slots=True, eq=False)
class SegmentJob:
    """A segment to upload: what of it is `done` already, and what `keep` is told of each receipt.

    `segment` counts within the deal; `shards` has those that are still to be sent.
    """

    deal: CID
    segment: int
    shards: dict[int, bytes]
    roots: Sequence[bytes]
    done: dict[int, ShardEntry]
    keep: Callable[[int, ShardEntry], None]

    def plan(self, index: int) -> ShardPlan:
        """What is asked an order for."""
        root, size = self.roots[index], len(self.shards[index])
        return ShardPlan(segment=self.segment, index=index, root=root, size=size)

    def missing(self) -> list[ShardPlan]:
        """The shards without a receipt."""
        return [self.plan(index) for index in range(len(self.roots)) if index not in self.done]


@dataclass(kw_only=True, eq=False)
class ShardUploader:
    """Uploads the shards of one deal's segments."""

    supernode: CustomersSuperNode
    transport: BulkTransport
    fetcher: ShardFetcher
    network: CID
    budget: ByteBudget
    uplink: Uplink = field(default_factory=Uplink)
    failures: UploadFailures = field(init=False, default_factory=UploadFailures)
    _granted: bool = field(init=False, default=False)

    async def upload(self, job: SegmentJob) -> tuple[ShardEntry, ...]:
        """Place and upload every shard; entries by index.

        A shard leaves `job.shards`, and its bytes the budget, when its receipt is there.
        Raises ConflictError when miners run out, UnavailableError after `ROUNDS_MAX` rounds.
        """
        for index in job.done:
            await self.budget.give(len(job.shards.pop(index)))
        for turn in range(ROUNDS_MAX):
            plans = job.missing()
            if not plans:
                break
            grants = await self._grants(job.deal, plans, turn)
            await asyncio.gather(*(self._one(job, grant) for grant in grants))
        if not job.missing():
            return tuple(job.done[index] for index in range(len(job.roots)))
        raise self.failures.explain(
            UnavailableError(
                f"segment {job.segment}: {len(job.missing())} shards found no miner in "
                f"{ROUNDS_MAX} rounds, {len(self.failures.seen)} miners failed; run the same put "
                "again, it continues from here"
            )
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
                raise self.failures.explain(error) from None
            self.failures.forgive()
            await asyncio.sleep(backoff_seconds(turn, base_seconds=_PAUSE_SECONDS))
            return []
        self._granted = True
        wanted = {(plan.segment, plan.index): plan for plan in plans}
        return [g for g in grants if _serves(g, wanted.get((g.segment, g.index)))]

    async def _one(self, job: SegmentJob, grant: OrderGrant) -> None:
        """One shard to its miner, or to a spare where that one is far slower than the others."""
        while True:
            order, size = grant.order, len(job.shards[grant.index])
            transfer = Sending(size)
            try:
                async with self.uplink.lane(transfer):
                    spare, receipt = await self._sent(job, grant, transfer)
                if receipt is not None:
                    self._check(receipt, job.deal, grant, size)
            except CyberVeinError as error:
                self.failures.note(order.miner, error)
                return
            if spare is None and receipt is not None:
                await self._keep(job, grant, size, receipt)
                return
            assert spare is not None  # noqa: S101 -- one of both is there
            grant = spare

    async def _sent(
        self, job: SegmentJob, grant: OrderGrant, transfer: Sending
    ) -> tuple[OrderGrant | None, Receipt | None]:
        """The miner's receipt; or another miner's order, as this one lags and was given up."""
        data = job.shards[grant.index]
        shard = ShardAt(grant.order.root, len(data), grant.order.miner, grant.url)
        sending = asyncio.ensure_future(
            self.transport.put(
                shard, grant.segment, grant.index, grant.order, data, transfer=transfer
            )
        )
        try:
            while not sending.done():
                await asyncio.wait((sending,), timeout=self.uplink.lag_seconds / 2)
                if sending.done() or not self.uplink.lags(transfer):
                    continue
                if (spare := await self._spare(job, grant)) is None:
                    continue
                if not sending.done():  # else it is there by now, or says why not
                    self._note_slow(grant.order.miner, transfer)
                    return spare, None
            return None, sending.result()
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    async def _spare(self, job: SegmentJob, grant: OrderGrant) -> OrderGrant | None:
        """An order for another miner, if there is one; the slow one is better than none."""
        plan = job.plan(grant.index)
        avoid = {*self.failures.by_miner, grant.order.miner}
        try:
            grants = await self.supernode.orders(job.deal, [plan], list(avoid))
        except CyberVeinError:
            return None
        return next((g for g in grants if _serves(g, plan)), None)

    def _note_slow(self, miner: bytes, transfer: Sending) -> None:
        rate = transfer.rate(self.uplink.clock()) / 1000
        self.failures.note(
            miner, UnavailableError(f"took {rate:.0f} kB/s, far less than the others; replaced")
        )

    async def _keep(self, job: SegmentJob, grant: OrderGrant, size: int, receipt: Receipt) -> None:
        order, index = grant.order, grant.index
        entry = ShardEntry(root=order.root, miner=order.miner, size=size, receipt=receipt.sig)
        job.keep(index, entry)
        job.done[index] = entry
        del job.shards[index]
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
