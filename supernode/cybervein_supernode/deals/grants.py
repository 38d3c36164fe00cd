"""PUT orders for an open deal: whole segments at a time, and again for shards that failed.

What was promised before is remembered, so that a second request for one shard still keeps every
shard of its segment in a domain of its own.
"""

import hashlib
from collections import defaultdict

from cybervein_protocol.encoding import cid_root
from cybervein_protocol.errors import ConflictError, LimitError
from cybervein_protocol.ledger.state.rows import DealRow
from cybervein_protocol.messages import OrderGrant, OrderGrants, OrderRequest, ShardPlan
from cybervein_protocol.placement import Candidate, place
from multiformats import CID

from cybervein_supernode.desk.desk import Desk
from cybervein_supernode.desk.notebook import Grant
from cybervein_supernode.peers.miner_client import MinerPeer, Peer
from cybervein_supernode.placement.roster import Roster


class Placement:
    """Grants PUT orders."""

    def __init__(self, desk: Desk, roster: Roster, miners: MinerPeer) -> None:
        self._desk = desk
        self._roster = roster
        self._miners = miners

    async def grant(self, deal: CID, wanted: OrderRequest) -> OrderGrants:
        """Orders for the deal's owner. Raises ConflictError or LimitError saying why not."""
        return await self._desk.judge(lambda: self._grant(deal, wanted))

    def _grant(self, deal: CID, wanted: OrderRequest) -> OrderGrants:
        row = self._desk.view.deal(cid_root(deal))
        segments = _by_segment(wanted, row)
        self._check_room(deal, wanted, row)
        candidates = self._roster.candidates()
        chosen: list[tuple[ShardPlan, bytes]] = []
        for number, plans in segments.items():
            chosen += self._place(deal, number, plans, candidates, wanted.avoid)
        epoch = self._desk.view.head().epoch
        grants = [Grant(p.segment, p.index, miner, p.size) for p, miner in chosen]
        self._desk.notebook.add_grants(cid_root(deal), epoch, grants)
        return OrderGrants(v=1, orders=[self._order(deal, row, *one) for one in chosen])

    def _check_room(self, deal: CID, wanted: OrderRequest, row: DealRow) -> None:
        """All shards together, promised before or now, stay within the deal's size."""
        known = {(g.segment, g.index): g.size for g in self._desk.notebook.grants(cid_root(deal))}
        known |= {(plan.segment, plan.index): plan.size for plan in wanted.shards}
        if sum(known.values()) > row.size:
            raise LimitError(
                f"deal: shards of {sum(known.values())} bytes in all, it was opened for {row.size}"
            )

    def _place(
        self,
        deal: CID,
        number: int,
        plans: list[ShardPlan],
        candidates: list[Candidate],
        avoid: list[bytes],
    ) -> list[tuple[ShardPlan, bytes]]:
        """Miners for these shards of one segment."""
        again = {plan.index for plan in plans}
        kept = [
            grant.miner
            for grant in self._desk.notebook.grants(cid_root(deal))
            if grant.segment == number and grant.index not in again
        ]
        miners = place(
            self._seed(deal, plans, avoid),
            candidates,
            max(plan.size for plan in plans),
            len(plans),
            taken_domains={self._roster.domain(miner) for miner in kept},
            avoid={*avoid, *kept},
        )
        return list(zip(plans, miners, strict=True))

    def _seed(self, deal: CID, plans: list[ShardPlan], avoid: list[bytes]) -> bytes:
        """Fresh for each request, so that a second try does not draw the same miners."""
        hasher = hashlib.blake2b(self._desk.view.head().beacon + bytes(deal), digest_size=32)
        for part in (*(plan.root for plan in plans), *avoid):
            hasher.update(part)
        return hasher.digest()

    def _order(self, deal: CID, row: DealRow, plan: ShardPlan, miner: bytes) -> OrderGrant:
        peer = Peer(miner, self._desk.view.miner(miner).url)
        last = self._desk.view.head().epoch + self._desk.preset.order_epochs
        order = self._miners.order(
            peer,
            "PUT",
            plan.root,
            max_bytes=plan.size,
            not_after_epoch=last,
            deal=deal,
            bearer=row.owner,
        )
        return OrderGrant(segment=plan.segment, index=plan.index, url=peer.url, order=order)


def _by_segment(wanted: OrderRequest, row: DealRow) -> dict[int, list[ShardPlan]]:
    """Plans by segment. Raises ConflictError or LimitError where they do not fit the deal."""
    if row.state != "open":
        raise ConflictError(f"deal: is {row.state}; orders are given while it is open")
    segments: dict[int, list[ShardPlan]] = defaultdict(list)
    for plan in wanted.shards:
        if plan.segment >= row.segments or plan.index >= row.n:
            raise LimitError(
                f"shard {plan.segment}/{plan.index}: the deal has {row.segments} segments of "
                f"{row.n} shards"
            )
        segments[plan.segment].append(plan)
    for number, plans in segments.items():
        if len({plan.index for plan in plans}) != len(plans):
            raise ConflictError(f"segment {number}: a shard is asked for twice in one request")
    return dict(segments)
