"""What the ledger has of one miner, page by page: whoever lost a journal learns it from here."""

from collections.abc import Sequence
from typing import Annotated, Final

from cybervein_protocol.api.super_node.holdings import (
    LivePlot,
    LivePlotListing,
    OwedShard,
    OwedShardListing,
)
from cybervein_protocol.cid import digest_cid
from cybervein_protocol.encoding import cid_text
from cybervein_protocol.errors import MalformedError, UnknownError
from cybervein_protocol.ledger.state.rows import PlotRow
from cybervein_protocol.signing import address
from cybervein_runtime.openapi import JsonAnswer, answers
from cybervein_runtime.parameters import DIGITS, Address
from fastapi import APIRouter, Query
from pydantic import Field, PlainValidator, WithJsonSchema

from cybervein_supernode.chain.view import LedgerView, Shard
from cybervein_supernode.node.node import SuperNodeParts

PAGE_MAX: Final = 1000
_AFTER_BYTES_MAX: Final = 64
_AFTER_SCHEMA: Final = {"type": "string", "pattern": "^([0-9a-f]{2}){0,64}$"}


def _after(value: object) -> bytes:
    text = str(value)
    try:
        after = bytes.fromhex(text)
    except ValueError:
        after = None
    if after is None or after.hex() != text or len(after) > _AFTER_BYTES_MAX:
        raise MalformedError(f"after={text[:80]!r}: expected the `next` of the page before")
    return after


Limit = Annotated[int, Field(ge=1, le=PAGE_MAX), DIGITS]
After = Annotated[bytes, PlainValidator(_after), WithJsonSchema(_AFTER_SCHEMA), Query()]


def holding_routes(node: SuperNodeParts) -> APIRouter:
    """The routes; each reads what is committed."""
    router, view = APIRouter(prefix="/v1", tags=["market"]), node.desk.view
    absent = (MalformedError, UnknownError)

    @router.get("/miners/{miner}/plots", **answers(LivePlotListing, refuses=absent))
    def plots(miner: Address, limit: Limit = PAGE_MAX, after: After = b"") -> JsonAnswer:
        """A miner's live plots; `next` is the `after` of the following page."""
        view.miner(miner)
        rows, following = view.live_plots(miner, after, limit)
        listed = [_plot(row) for row in rows]
        return JsonAnswer(LivePlotListing(plots=listed, next=_text(following)))

    @router.get("/miners/{miner}/shards", **answers(OwedShardListing, refuses=absent))
    def shards(miner: Address, limit: Limit = PAGE_MAX, after: After = b"") -> JsonAnswer:
        """The shards that a miner must hold; `next` is the `after` of the following page."""
        view.miner(miner)
        rows, following = view.owed_shards(miner, after, limit)
        listed = _owed(view, rows)
        return JsonAnswer(OwedShardListing(shards=listed, next=_text(following)))

    return router


def _text(after: bytes | None) -> str | None:
    return None if after is None else after.hex()


def _plot(row: PlotRow) -> LivePlot:
    batch = cid_text(digest_cid(row.batch))
    return LivePlot(index=row.index, gamma=row.gamma.hex(), batch=batch)


def _owed(view: LedgerView, shards: Sequence[Shard]) -> list[OwedShard]:
    owners = {deal: address(view.deal(deal).owner) for deal in {shard.deal for shard in shards}}
    return [
        OwedShard(
            deal=cid_text(digest_cid(shard.deal)),
            segment=shard.segment,
            index=shard.index,
            root=shard.row.root.hex(),
            size=shard.row.size,
            owner=owners[shard.deal],
        )
        for shard in shards
    ]
