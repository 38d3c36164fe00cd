"""Public reading of the chain: accounts, units, blocks and epochs."""

from typing import Annotated

from cybervein_protocol.api.super_node.accounts import AccountDocument
from cybervein_protocol.api.super_node.epochs import EpochListing, FullEpochDocument
from cybervein_protocol.api.super_node.units import (
    BlockListing,
    FullBlockDocument,
    UnitDocument,
)
from cybervein_protocol.encoding import cid_root, cid_text
from cybervein_protocol.errors import MalformedError, UnknownError
from cybervein_runtime.http_client import DAG_CBOR
from cybervein_runtime.openapi import JsonAnswer, answers, answers_bytes
from cybervein_runtime.parameters import DIGITS, Address, Cid, Whole
from fastapi import APIRouter, Query, Response
from pydantic import Field

from cybervein_supernode.api.chain_views import (
    account_document,
    block_document,
    epoch_document,
    full_block_document,
    full_epoch_document,
    unit_document,
)
from cybervein_supernode.node.node import SuperNodeParts

PAGE_MAX = 200
Limit = Annotated[int, Field(ge=1, le=PAGE_MAX), DIGITS]
Start = Annotated[Whole | None, Query(alias="from")]


def chain_routes(node: SuperNodeParts) -> APIRouter:
    """The routes; each reads what is committed."""
    router, read = APIRouter(prefix="/v1", tags=["chain"]), ChainReader(node)
    bad, absent = (MalformedError,), (MalformedError, UnknownError)
    raw_unit = answers_bytes(DAG_CBOR, "The unit's signed encoding.", refuses=absent)
    raw = answers_bytes(DAG_CBOR, "The block's signed encoding.", refuses=absent)
    for path, handler, described in (
        ("/accounts/{account}", read.account, answers(AccountDocument, refuses=bad)),
        ("/units/{unit}", read.unit, answers(UnitDocument, refuses=absent)),
        ("/units/{unit}/raw", read.raw_unit, raw_unit),
        ("/blocks", read.blocks, answers(BlockListing, refuses=bad)),
        ("/blocks/{height}", read.block, answers(FullBlockDocument, refuses=absent)),
        ("/blocks/{height}/raw", read.raw_block, raw),
        ("/epochs", read.epochs, answers(EpochListing, refuses=bad)),
        ("/epochs/{number}", read.epoch, answers(FullEpochDocument, refuses=absent)),
    ):
        router.add_api_route(path, handler, **described)
    return router


class ChainReader:
    """A handler for each route."""

    def __init__(self, node: SuperNodeParts) -> None:
        self._view, self._engine = node.desk.view, node.desk.engine

    def account(self, account: Address) -> JsonAnswer:
        """Balance, next nonce and, for a miner, its bond."""
        return JsonAnswer(account_document(self._view, account))

    def unit(self, unit: Cid) -> JsonAnswer:
        """Where a unit is: pending, final or void."""
        place = self._view.history.unit(cid_root(unit))
        if place is not None:
            most = self._view.preset.unit_bytes_max
            return JsonAnswer(unit_document(place, body_bytes_max=most))
        if self._engine.is_pending(unit):
            return JsonAnswer(UnitDocument(id=cid_text(unit), status="pending"))
        raise UnknownError(f"unit {cid_text(unit)} is not known; was it sent to this network?")

    def raw_unit(self, unit: Cid) -> Response:
        """The signed encoding of a unit that is in a block: its CID is what was asked for."""
        place = self._view.history.unit(cid_root(unit))
        if place is None:
            raise UnknownError(
                f"unit {cid_text(unit)} is in no block; was it sent to this network?"
            )
        return Response(place.raw, media_type=DAG_CBOR)

    def blocks(self, start: Start = None, limit: Limit = 20) -> JsonAnswer:
        """Engine blocks, newest first, from height `from` downwards."""
        height = self._view.head().height
        first = height if start is None else min(start, height)
        heights = range(first, max(0, first - limit), -1)
        listed = [block_document(self._view.history.block(each)) for each in heights]
        return JsonAnswer(BlockListing(height=height, blocks=listed))

    def block(self, height: Whole) -> JsonAnswer:
        """One engine block with its units."""
        return JsonAnswer(full_block_document(self._view, height))

    def raw_block(self, height: Whole) -> Response:
        """Its signed encoding."""
        return Response(self._view.history.block_bytes(height), media_type=DAG_CBOR)

    def epochs(self, start: Start = None, limit: Limit = 50) -> JsonAnswer:
        """Closed epochs, newest first, from `from` downwards."""
        current = self._view.head().epoch
        first = current - 1 if start is None else min(start, current - 1)
        wanted = range(first, max(-1, first - limit), -1)
        listed = [epoch_document(self._view.history.closed_epoch(each)) for each in wanted]
        return JsonAnswer(EpochListing(open=current, epochs=listed))

    def epoch(self, number: Whole) -> JsonAnswer:
        """What closing an epoch settled, for every miner."""
        return JsonAnswer(full_epoch_document(self._view.history.closed_epoch(number)))
