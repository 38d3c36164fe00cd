"""Give one shard a new home: its bytes, checked against its root, a place, and the ledger's row.

The bytes of a lost shard are computed from k others. Those of a shard whose miner drains are copied
from that miner; only where that fails they are computed too.

The super node unmasks and masks with the segment's repair key and never sees plaintext. A wrong
helper shard is caught by its own root before it is used; the result by the shard's root.
"""

import asyncio
import secrets
from collections.abc import Callable, Sequence
from weakref import WeakValueDictionary

from blake3 import blake3
from cybervein_protocol.coding import rebuild_shard
from cybervein_protocol.encoding import node_cid
from cybervein_protocol.errors import ConflictError, CyberVeinError, ProofError
from cybervein_protocol.ledger.state.rows import DealRow
from cybervein_protocol.ledger.storage.bodies import ShardMoved
from cybervein_protocol.messages import Receipt, open_repair_keys, verify_receipt
from cybervein_protocol.placement import place
from multiformats import CID

from cybervein_supernode.chain.view import Shard
from cybervein_supernode.desk.desk import Desk
from cybervein_supernode.peers.miner_client import MinerPeer, Peer
from cybervein_supernode.placement.roster import Roster
from cybervein_supernode.repair.gather import TRANSFER_SECONDS_MAX, HelperGatherer, identity_of


class Rebuilder:
    """Rebuilds shards, one call each."""

    def __init__(self, desk: Desk, roster: Roster, miners: MinerPeer) -> None:
        self._desk = desk
        self._roster = roster
        self._miners = miners
        self._gatherer = HelperGatherer(desk, roster, miners)
        self._turns: WeakValueDictionary[bytes, asyncio.Lock] = WeakValueDictionary()

    def _turn(self, shard: Shard) -> asyncio.Lock:
        """Shards of one segment find their places one after the other, or they choose the same."""
        return self._turns.setdefault(identity_of(shard)[:-1], asyncio.Lock())

    async def rebuild(self, lost: Shard) -> bytes:
        """Move a lost shard; its new miner. Raises ConflictError, ProofError, UnavailableError."""
        async with self._turn(lost):
            return await self._rebuild(lost)

    async def _rebuild(self, lost: Shard) -> bytes:
        deal, siblings = await self._desk.judge(lambda: self._case(lost))
        data = await self._restore(lost, deal, siblings)
        target = await self._desk.judge(lambda: self._target(lost, siblings))
        receipt = await self._store(lost, deal, target, data)
        return await self._settle(lost, receipt)

    async def relocate(self, leaving: Shard, still: Callable[[], bool]) -> bytes:
        """Move a shard whose miner wants to be relieved of it; its new miner.

        The place is found before a byte is read: where nobody can take the shard that is said
        at once. `still` is asked last: a drain that was cancelled meanwhile changes no row.
        Raises as rebuild.
        """
        async with self._turn(leaving):
            return await self._relocate(leaving, still)

    async def _relocate(self, leaving: Shard, still: Callable[[], bool]) -> bytes:
        deal, siblings = await self._desk.judge(lambda: self._case(leaving))
        target = await self._desk.judge(lambda: self._target(leaving, siblings))
        data = await self._copy(leaving) or await self._restore(leaving, deal, siblings)
        receipt = await self._store(leaving, deal, target, data)
        if not await self._desk.judge(still):
            raise ConflictError("the shard was moved or is to stay; nothing is changed")
        return await self._settle(leaving, receipt)

    async def _copy(self, leaving: Shard) -> bytes:
        """The shard's bytes from its own miner; none where it does not give them."""
        if not self._roster.online(leaving.row.miner):
            return b""
        try:
            _, data = await self._gatherer.one(leaving)
        except CyberVeinError:
            return b""
        return data

    async def _restore(self, lost: Shard, deal: DealRow, siblings: list[Shard]) -> bytes:
        """The shard's bytes from k others."""
        helpers = await self._gatherer.fetch(deal.k, siblings)
        return await self._desk.judge(lambda: self._compute(lost, deal, helpers))

    async def _settle(self, shard: Shard, receipt: Receipt) -> bytes:
        """Change the ledger's row; the new miner."""
        body = ShardMoved(
            deal=self.deal_cid(shard),
            segment=shard.segment,
            index=shard.index,
            from_=shard.row.miner,
            to=receipt.miner,
            root=shard.row.root,
            receipt=receipt.sig,
        )
        await self._desk.engine.issue(body)
        return receipt.miner

    def deal_cid(self, shard: Shard) -> CID:
        """The CID of a shard's deal: that of its `deal.open` unit."""
        opened = self._desk.view.history.unit(shard.deal)
        if opened is None:
            raise ConflictError(f"deal {shard.deal.hex()[:16]}: its deal.open is not known")
        return node_cid(opened.raw)

    def _case(self, lost: Shard) -> tuple[DealRow, list[Shard]]:
        """The deal and the segment's other live shards."""
        view = self._desk.view
        siblings = [
            shard
            for shard in view.shards_of_deal(lost.deal)
            if shard.segment == lost.segment and shard.index != lost.index and not shard.row.lost
        ]
        return view.deal(lost.deal), siblings

    def _compute(self, lost: Shard, deal: DealRow, helpers: dict[int, bytes]) -> bytes:
        """The lost shard's masked bytes, checked against its root."""
        commit = self._desk.view.history.commit_of(lost.deal)
        keys = open_repair_keys(
            commit.repair,
            self._desk.public,
            self._desk.identity.seal_seed,
            len(commit.segments),
        )
        data = rebuild_shard(keys[lost.segment], helpers, deal.k, deal.n, lost.index)
        if blake3(data).digest() != lost.row.root:
            raise ProofError(
                f"shard {lost.row.root.hex()[:16]}: rebuilt bytes have another root; was the deal "
                "committed with wrong repair keys?"
            )
        return data

    def _target(self, lost: Shard, siblings: Sequence[Shard]) -> bytes:
        """A live miner in a domain that the segment does not use. Raises ConflictError."""
        holders = {shard.row.miner for shard in siblings}
        [miner] = place(
            secrets.token_bytes(32),
            self._roster.candidates(),
            lost.row.size,
            1,
            taken_domains={self._roster.domain(holder) for holder in holders},
            avoid={*holders, lost.row.miner},
        )
        return miner

    async def _store(self, lost: Shard, deal: DealRow, miner: bytes, data: bytes) -> Receipt:
        """Put the shard at its new miner, in its owner's name; that miner's receipt."""
        peer = Peer(miner, self._desk.view.miner(miner).url)
        cid = self.deal_cid(lost)
        last = self._desk.view.head().epoch + self._desk.preset.order_epochs
        order = self._miners.order(
            peer,
            "PUT",
            lost.row.root,
            max_bytes=len(data),
            not_after_epoch=last,
            deal=cid,
            bearer=deal.owner,
        )
        receipt = await self._miners.put_shard(
            peer,
            order,
            segment=lost.segment,
            index=lost.index,
            data=data,
            timeout_seconds=TRANSFER_SECONDS_MAX,
        )
        expected = (miner, cid, lost.segment, lost.index, lost.row.root, len(data))
        named = (receipt.miner, receipt.deal, receipt.segment, receipt.index)
        if (*named, receipt.root, receipt.size) != expected:
            raise ProofError("the new miner's receipt is of another shard; trying elsewhere")
        verify_receipt(receipt)
        return receipt
