"""Public reading of miners, deals and shards."""

from bisect import bisect_right
from typing import Annotated, Final

from cybervein_protocol.api.super_node.deals import DealDocument, DealListing, ShardListing
from cybervein_protocol.api.super_node.miners import FullMinerDocument, MinerListing
from cybervein_protocol.encoding import cid_root
from cybervein_protocol.errors import MalformedError, UnknownError
from cybervein_protocol.signing import address
from cybervein_runtime.openapi import JsonAnswer, answers, answers_bytes
from cybervein_runtime.parameters import DIGITS, Address, Cid, Root
from fastapi import APIRouter, Query, Response
from pydantic import Field

from cybervein_supernode.api.deal_views import deal_document, full_deal, shard_document
from cybervein_supernode.api.miner_views import full_miner, listed_miner, weight_of
from cybervein_supernode.node.node import SuperNodeParts

DEALS_MAX = 500
HISTORY_EPOCHS = 50
PAGE_MAX = 1000
Page = Annotated[int, Field(ge=1, le=PAGE_MAX), DIGITS] | None
Most = Annotated[int, Field(ge=1, le=DEALS_MAX), DIGITS]
Epochs = Annotated[int, Field(ge=0, le=HISTORY_EPOCHS), DIGITS]
Queried = Annotated[Address | None, Query()]
_BYTES: Final = "application/octet-stream"


def market_routes(node: SuperNodeParts) -> APIRouter:
    """The routes; each reads what is committed."""
    router, read = APIRouter(prefix="/v1", tags=["market"]), MarketReader(node)
    bad, absent = (MalformedError,), (MalformedError, UnknownError)
    kept = answers_bytes(_BYTES, "The evidence as it was kept.", refuses=absent)
    for path, handler, described in (
        ("/miners", read.miners, answers(MinerListing, refuses=bad)),
        ("/miners/{miner}", read.miner, answers(FullMinerDocument, refuses=absent)),
        ("/deals", read.deals, answers(DealListing, refuses=bad)),
        ("/deals/{deal}", read.deal, answers(DealDocument, refuses=absent)),
        ("/deals/{deal}/shards", read.shards, answers(ShardListing, refuses=absent)),
        ("/shards/{root}", read.shard, answers(ShardListing, refuses=absent)),
        ("/evidence/{digest}", read.evidence, kept),
    ):
        router.add_api_route(path, handler, **described)
    return router


class MarketReader:
    """A handler for each route."""

    def __init__(self, node: SuperNodeParts) -> None:
        self._node, self._view = node, node.desk.view

    def miners(self, limit: Page = None, after: Queried = None) -> JsonAnswer:
        """Miners by key, with scores and rewards; `weight_share` is parts per million.

        `limit` asks for a page: `next` is the `after` of the following one, null at the end. The
        miner that `after` names need not be there any more.
        """
        rows = self._view.miners()
        weights = sum(weight_of(row, self._view.preset) for _, row in rows)
        start = 0 if after is None else bisect_right([k for k, _ in rows], after)
        page = rows[start:] if limit is None else rows[start : start + limit]
        more = start + len(page) < len(rows)
        listed = [listed_miner(self._node, key, row, weights) for key, row in page]
        following = address(page[-1][0]) if more else None
        return JsonAnswer(MinerListing(miners=listed, total=len(rows), next=following))

    def miner(self, miner: Address, epochs: Epochs = HISTORY_EPOCHS) -> JsonAnswer:
        """One miner: standing, batches, its last closed `epochs`."""
        return JsonAnswer(full_miner(self._node, miner, epochs))

    def deals(self, owner: Queried = None, limit: Most = 100) -> JsonAnswer:
        """Deals of an owner, or of everybody."""
        epoch = self._view.head().epoch
        found = self._view.deals_of(owner, limit)
        return JsonAnswer(DealListing(deals=[deal_document(*each, epoch) for each in found]))

    def deal(self, deal: Cid) -> JsonAnswer:
        """One deal."""
        return JsonAnswer(full_deal(self._view, cid_root(deal)))

    def shards(self, deal: Cid) -> JsonAnswer:
        """Where its shards are."""
        digest = cid_root(deal)
        self._view.deal(digest)
        found = self._view.shards_of_deal(digest)
        return JsonAnswer(ShardListing(shards=[shard_document(self._view, s) for s in found]))

    def shard(self, root: Root) -> JsonAnswer:
        """Where the shard of a root lies."""
        found = self._view.shards_of_root(root)
        if not found:
            raise UnknownError(f"shard {root.hex()} is in no deal")
        return JsonAnswer(ShardListing(shards=[shard_document(self._view, s) for s in found]))

    def evidence(self, digest: Root) -> Response:
        """The bytes behind a verdict, while they are kept."""
        return Response(self._node.desk.evidence.read(digest), media_type=_BYTES)
