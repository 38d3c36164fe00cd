"""Challenge every shard of an open deal and sign its verification id (the paper's step 4).

Each miner is asked once for all its shards: one random chunk of each, drawn from the operating
system's randomness, so nobody can know the chunks before. The answer is all or nothing; what failed
is named, so that the owner uploads exactly that again.
"""

import asyncio
import secrets
from collections import defaultdict
from dataclasses import dataclass

from cybervein_protocol.audit import CHUNK_BYTES, Held
from cybervein_protocol.encoding import cid_root
from cybervein_protocol.errors import ConflictError, CyberVeinError, LimitError, ProofError
from cybervein_protocol.ledger.state.rows import DealRow
from cybervein_protocol.messages import (
    AuditAnswer,
    AuditItem,
    AuditRequest,
    SegmentEntry,
    ShardEntry,
    VerificationAnswer,
    receipt_of_entry,
    sign_verification,
    verification_id,
    verify_audit_answer,
    verify_receipt,
)
from cybervein_protocol.signing import address
from cybervein_protocol.tree import verify_slice
from multiformats import CID

from cybervein_supernode.desk.desk import Desk
from cybervein_supernode.peers.miner_client import MinerPeer, Peer

ASK_SECONDS_MAX = 60.0
ITEMS_PER_REQUEST = 512
MINERS_AT_ONCE = 16
DEALS_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class ShardPlace:
    """A shard to challenge."""

    segment: int
    index: int
    entry: ShardEntry

    def __str__(self) -> str:
        return f"shard {self.segment}/{self.index} at {address(self.entry.miner)}"


class Deals:
    """Verifies deals for their owners."""

    def __init__(self, desk: Desk, miners: MinerPeer) -> None:
        self._desk = desk
        self._miners = miners
        self._turn = asyncio.Semaphore(DEALS_AT_ONCE)
        self._asking = asyncio.Semaphore(MINERS_AT_ONCE)

    async def verify(self, deal: CID, segments: list[SegmentEntry]) -> VerificationAnswer:
        """The signed verification. Raises ProofError naming the shards that failed."""
        row = self._desk.view.deal(cid_root(deal))
        async with self._turn:
            await self._desk.judge(lambda: self._check(deal, row, segments))
            failures = await self._challenge_all(deal, segments)
        if failures:
            more = f"; and {len(failures) - 1} more" if len(failures) > 1 else ""
            raise ProofError(f"deal: {len(failures)} shards are not proven: {failures[0]}{more}")
        key = self._desk.identity.keys
        answer = await self._desk.judge(lambda: sign_verification(key, deal, segments))
        self._desk.tally.add("verified_deals")
        return VerificationAnswer(v=1, verification=answer)

    def _check(self, deal: CID, row: DealRow, segments: list[SegmentEntry]) -> None:
        """Shape and receipts, as `deal.commit` will check them again."""
        if row.state != "open":
            raise ConflictError(f"deal: is {row.state}; only an open deal is verified")
        if not 1 <= len(segments) <= row.segments:
            raise LimitError(f"deal: {len(segments)} segments, it was opened for {row.segments}")
        for place in _places(segments):
            receipt = receipt_of_entry(
                place.entry,
                network=self._desk.view.network,
                deal=deal,
                segment=place.segment,
                index=place.index,
            )
            verify_receipt(receipt)
        if any(len(segment.shards) != row.n for segment in segments):
            raise ConflictError(f"deal: every segment has {row.n} shards")

    async def _challenge_all(self, deal: CID, segments: list[SegmentEntry]) -> list[str]:
        """What is not proven; empty if everything is there."""
        by_miner: dict[bytes, list[ShardPlace]] = defaultdict(list)
        for place in _places(segments):
            by_miner[place.entry.miner].append(place)
        identity = verification_id(deal, segments)
        parts = [
            (miner, places[start : start + ITEMS_PER_REQUEST])
            for miner, places in by_miner.items()
            for start in range(0, len(places), ITEMS_PER_REQUEST)
        ]
        found = await asyncio.gather(*(self._challenge(identity, *part) for part in parts))
        return [failure for failures in found for failure in failures]

    async def _challenge(
        self, identity: bytes, miner: bytes, places: list[ShardPlace]
    ) -> list[str]:
        """One miner's shards; failures in words."""
        items = [AuditItem(root=p.entry.root, chunk=_random_chunk(p.entry)) for p in places]
        epoch = self._desk.view.head().epoch
        request = AuditRequest(v=1, epoch=epoch, holding=identity, items=items)
        try:
            async with self._asking:
                peer = Peer(miner, self._desk.view.miner(miner).url)
                answer = await self._miners.audit(peer, request, ASK_SECONDS_MAX)
            return await self._desk.judge(lambda: _failures(answer, request, places, miner))
        except CyberVeinError as error:
            return [f"{place}: {error}" for place in places]


def _places(segments: list[SegmentEntry]) -> list[ShardPlace]:
    return [
        ShardPlace(number, index, entry)
        for number, segment in enumerate(segments)
        for index, entry in enumerate(segment.shards)
    ]


def _random_chunk(entry: ShardEntry) -> int:
    return secrets.randbelow(Held(entry.root, entry.size).chunks)


def _failures(
    answer: AuditAnswer, request: AuditRequest, places: list[ShardPlace], miner: bytes
) -> list[str]:
    verify_audit_answer(answer)
    asked = [(item.root, item.chunk) for item in request.items]
    if answer.miner != miner or answer.holding != request.holding:
        raise ProofError(f"{address(miner)} answers another question")
    if [(each.root, each.chunk) for each in answer.answers] != asked:
        raise ProofError(f"{address(miner)} answers other chunks than asked")
    return [
        f"{place}: {reason}"
        for place, item, given in zip(places, request.items, answer.answers, strict=True)
        if (reason := _defect(given.slice, item, place.entry))
    ]


def _defect(encoded: bytes | None, item: AuditItem, entry: ShardEntry) -> str:
    if encoded is None:
        return "the miner admits that it is not there"
    try:
        verify_slice(encoded, entry.root, item.chunk * CHUNK_BYTES, CHUNK_BYTES, entry.size)
    except CyberVeinError as error:
        return str(error)
    return ""
