"""Public reading of miners, deals and shards."""

from bisect import bisect_right
from typing import Annotated

from cybervein_protocol.encoding import cid_root, parse_cid
from cybervein_protocol.errors import MalformedError, UnknownError
from cybervein_protocol.ledger.state.rows import MINERS, DealRow, MinerRow
from cybervein_protocol.signing import address, parse_address
from fastapi import APIRouter, Query, Response

from cybervein_supernode.api.views import (
    Json,
    batch_json,
    contribution_json,
    deal_json,
    miner_json,
    shard_json,
    weight_of,
)
from cybervein_supernode.chain.view import LedgerView, Shard
from cybervein_supernode.node.node import SuperNode

DEALS_MAX = 500
HISTORY_EPOCHS = 50
_ROOT_HEX = 64
PAGE_MAX = 1000
Page = Annotated[int | None, Query(ge=1, le=PAGE_MAX)]


def market_routes(node: SuperNode) -> APIRouter:
    """The routes; each reads what is committed."""
    router = APIRouter(prefix="/v1", tags=["market"])
    _miners(router, node)
    _deals(router, node.desk.view)

    @router.get("/shards/{root}")
    def shard(root: str) -> Json:
        """Where the shard of a root lies."""
        found = node.desk.view.shards_of_root(_root(root))
        if not found:
            raise UnknownError(f"shard {root} is in no deal")
        return {"shards": [shard_json(each, _url(node.desk.view, each)) for each in found]}

    @router.get("/evidence/{digest}")
    def evidence(digest: str) -> Response:
        """The bytes behind a verdict, while they are kept."""
        data = node.desk.evidence.read(_root(digest))
        return Response(data, media_type="application/octet-stream")

    return router


def _miners(router: APIRouter, node: SuperNode) -> None:
    view = node.desk.view

    @router.get("/miners")
    def miners(limit: Page = None, after: str | None = None) -> Json:
        """Miners by key, with scores and rewards; `weight_share` is parts per million.

        `limit` asks for a page: `next` is the `after` of the following one, null at the end.
        """
        rows = view.miners()
        total = sum(weight_of(row, view.preset) for _, row in rows)
        start = 0 if after is None else _place_after(rows, parse_address(after))
        page = rows[start:] if limit is None else rows[start : start + limit]
        more = start + len(page) < len(rows)
        return {
            "miners": [_standing(node, key, row, total) for key, row in page],
            "total": len(rows),
            "next": address(page[-1][0]) if more else None,
        }

    @router.get("/miners/{text}")
    def miner(text: str, epochs: Annotated[int, Query(ge=0, le=HISTORY_EPOCHS)] = 50) -> Json:
        """One miner: standing, batches, its last closed `epochs`."""
        key = parse_address(text)
        promised = node.departures.promised(key)
        row = view.miner(key)
        batches = [batch_json(digest, batch) for digest, batch in view.batches_of(key)]
        live = _live_json(node, key, row, promised=promised)
        document = miner_json(key, row, view.preset) | live
        return document | {"batches": batches, "epochs": _history(view, key, epochs)}


def _place_after(rows: list[tuple[bytes, MinerRow]], key: bytes) -> int:
    """Where the next page begins; the miner itself need not be there any more."""
    return bisect_right([each for each, _ in rows], key)


def _standing(node: SuperNode, key: bytes, row: MinerRow, total: int) -> Json:
    """One entry of the listing."""
    preset = node.desk.view.preset
    share = weight_of(row, preset) * 1_000_000 // total if total else 0
    return miner_json(key, row, preset) | _live_json(node, key, row) | {"weight_share": share}


def _live_json(node: SuperNode, key: bytes, row: MinerRow, **drain: int) -> Json:
    """What this super node knows beside the ledger; `drain` has more about that."""
    held = row.held_shards if row.drains else None
    return node.roster.seen_json(key) | {"drain": node.mover.drain_json(key, held) | drain}


def _history(view: LedgerView, key: bytes, most: int) -> list[Json]:
    """The miner in the last closed epochs, newest first."""
    current = view.head().epoch
    epochs = range(current - 1, max(-1, current - 1 - most), -1)
    return [
        {"epoch": epoch} | contribution_json(entry)
        for epoch in epochs
        if (entry := view.contribution(epoch, key)) is not None
    ]


def _deals(router: APIRouter, view: LedgerView) -> None:
    @router.get("/deals")
    def deals(
        owner: str | None = None, limit: Annotated[int, Query(ge=1, le=DEALS_MAX)] = 100
    ) -> Json:
        """Deals of an owner, or of everybody."""
        key = None if owner is None else parse_address(owner)
        return {"deals": [_deal(view, digest, row) for digest, row in view.deals_of(key, limit)]}

    @router.get("/deals/{text}")
    def deal(text: str) -> Json:
        """One deal."""
        digest = cid_root(parse_cid(text, "deal"))
        return _deal(view, digest, view.deal(digest))

    @router.get("/deals/{text}/shards")
    def shards(text: str) -> Json:
        """Where its shards are."""
        digest = cid_root(parse_cid(text, "deal"))
        view.deal(digest)
        found = view.shards_of_deal(digest)
        return {"shards": [shard_json(each, _url(view, each)) for each in found]}


def _deal(view: LedgerView, digest: bytes, row: DealRow) -> Json:
    return deal_json(digest, row, view.head().epoch, row.lost)


def _url(view: LedgerView, shard: Shard) -> str:
    miner = view.rows.find(MINERS, shard.row.miner)
    return miner.url if miner else ""


def _root(text: str) -> bytes:
    try:
        root = bytes.fromhex(text)
    except ValueError:
        root = b""
    if len(text) != _ROOT_HEX or not root:
        raise MalformedError(f"{text[:80]!r}: expected 64 hex digits of a BLAKE3 root")
    return root
