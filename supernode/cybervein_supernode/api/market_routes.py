"""Public reading of miners, deals and shards."""

from typing import Annotated

from cybervein_protocol.encoding import cid_root, parse_cid
from cybervein_protocol.errors import MalformedError, UnknownError
from cybervein_protocol.ledger.rows import MINERS, DealRow
from cybervein_protocol.signing import parse_address
from fastapi import APIRouter, Query, Response

from cybervein_supernode.api.views import (
    Json,
    batch_json,
    contribution_json,
    deal_json,
    miner_json,
    shard_json,
)
from cybervein_supernode.engine.view import LedgerView, Shard
from cybervein_supernode.node import SuperNode

DEALS_MAX = 500
HISTORY_EPOCHS = 50
_ROOT_HEX = 64


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
    def miners() -> Json:
        """All miners with scores and rewards; `weight_share` is parts per million."""
        found = [
            miner_json(key, row, view.preset) | node.roster.seen_json(key)
            for key, row in view.miners()
        ]
        total = sum(int(str(each["weight"])) for each in found)
        for each in found:
            share = int(str(each["weight"])) * 1_000_000 // total if total else 0
            each["weight_share"] = share
        return {"miners": found}

    @router.get("/miners/{text}")
    def miner(text: str) -> Json:
        """One miner: standing, batches, last epochs."""
        key = parse_address(text)
        row = view.miner(key)
        batches = [batch_json(digest, batch) for digest, batch in view.batches_of(key)]
        document = miner_json(key, row, view.preset) | node.roster.seen_json(key)
        return document | {"batches": batches, "epochs": _history(view, key)}


def _history(view: LedgerView, key: bytes) -> list[Json]:
    """The miner in the last closed epochs, newest first."""
    current = view.head().epoch
    epochs = range(current - 1, max(-1, current - 1 - HISTORY_EPOCHS), -1)
    return [
        {"epoch": epoch} | contribution_json(entry)
        for epoch in epochs
        for entry in view.closed_epoch(epoch).contributions
        if entry.miner == key
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
