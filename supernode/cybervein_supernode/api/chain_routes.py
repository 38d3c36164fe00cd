"""Public reading of the chain: network, accounts, units, blocks, epochs, export."""

from typing import TYPE_CHECKING, Annotated

from cybervein_protocol.encoding import cid_root, cid_text, decode_node, parse_cid, to_map
from cybervein_protocol.errors import UnknownError
from cybervein_protocol.ledger.mining.bonds import bond_due
from cybervein_protocol.ledger.state.rows import ACCOUNTS, MINERS, SUPPLY, SUPPLY_ID
from cybervein_protocol.signing import address, parse_address
from cybervein_runtime.http_client import DAG_CBOR
from cybervein_runtime.network_file import to_json
from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse

from cybervein_supernode.api.views import (
    Json,
    block_json,
    epoch_json,
    supply_json,
    unit_json,
)
from cybervein_supernode.chain.export import export_chain
from cybervein_supernode.node.node import SuperNode

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE_MAX = 200
_JSON = "application/json"
Limit = Annotated[int, Query(ge=1, le=PAGE_MAX)]
Start = Annotated[int | None, Query(alias="from", ge=0)]


def chain_routes(node: SuperNode) -> APIRouter:
    """The routes; each reads what is committed."""
    router = APIRouter(prefix="/v1", tags=["chain"])
    view = node.desk.view
    _network(router, node)

    @router.get("/accounts/{text}")
    def account(text: str) -> Json:
        """Balance, next nonce and, for a miner, its bond."""
        key = parse_address(text)
        row, miner = view.rows.find(ACCOUNTS, key), view.rows.find(MINERS, key)
        return {
            "address": address(key),
            "balance": row.balance if row else 0,
            "nonce": row.nonce if row else 0,
            "bonded": miner.bonded if miner else 0,
            "bond_due": bond_due(miner, view.preset) if miner else 0,
        }

    @router.get("/units/{text}")
    def unit(text: str) -> Json:
        """Where a unit is: pending, final or void."""
        cid = parse_cid(text, "unit")
        place = view.unit(cid_root(cid))
        if place is not None:
            body = decode_node(place.raw, "unit", view.preset.unit_bytes_max)
            return unit_json(place, body=body)
        if node.desk.engine.is_pending(cid):
            return {"id": cid_text(cid), "status": "pending"}
        raise UnknownError(f"unit {cid_text(cid)} is not known; was it sent to this network?")

    @router.get("/blocks")
    def blocks(start: Start = None, limit: Limit = 20) -> Json:
        """Engine blocks, newest first, from height `from` downwards."""
        height = view.head().height
        first = height if start is None else min(start, height)
        heights = range(first, max(0, first - limit), -1)
        return {"height": height, "blocks": [block_json(view.block(h)) for h in heights]}

    @router.get("/blocks/{height}")
    def block(height: int) -> Json:
        """One engine block with its units."""
        units = [unit_json(place) for _, place in view.units_of(height)]
        return block_json(view.block(height)) | {"contents": units}

    @router.get("/blocks/{height}/raw")
    def raw_block(height: int) -> Response:
        """Its signed encoding."""
        return Response(view.block_bytes(height), media_type=DAG_CBOR)

    @router.get("/epochs")
    def epochs(start: Start = None, limit: Limit = 50) -> Json:
        """Closed epochs, newest first, from `from` downwards."""
        current = view.head().epoch
        first = current - 1 if start is None else min(start, current - 1)
        wanted = range(first, max(-1, first - limit), -1)
        return {
            "open": current,
            "epochs": [epoch_json(view.closed_epoch(e), full=False) for e in wanted],
        }

    @router.get("/epochs/{number}")
    def epoch(number: int) -> Json:
        """What closing an epoch settled, for every miner."""
        return epoch_json(view.closed_epoch(number), full=True)

    return router


def _network(router: APIRouter, node: SuperNode) -> None:
    view = node.desk.view

    @router.get("/network")
    def network() -> Json:
        """Where the network stands."""
        head, supply = view.head(), view.rows.find(SUPPLY, SUPPLY_ID)
        return node.clock.document() | {
            "network": cid_text(view.network),
            "preset": to_map(view.preset),
            "super_nodes": [{"url": node.place.url, "address": address(node.desk.public)}],
            "epoch": head.epoch,
            "beacon": head.beacon.hex(),
            "height": head.height,
            "app_hash": node.chronicle.app_hash.hex(),
            "tips": [cid_text(unit) for unit in node.desk.engine.parents()],
            "supply": supply_json(supply) if supply else {},
        }

    @router.get("/network.json")
    def network_file() -> Response:
        """The file by which miners and clients join."""
        nodes = ((node.place.url, node.desk.public),)
        return Response(to_json(view.genesis, nodes, node.place.ca), media_type=_JSON)

    @router.get("/export")
    def export() -> StreamingResponse:
        """All blocks and units, for replay by `cybervein chain verify --export`."""
        parts: Iterator[bytes] = export_chain(view)
        name = 'attachment; filename="cybervein-chain.export"'
        return StreamingResponse(
            parts, media_type="application/octet-stream", headers={"content-disposition": name}
        )
