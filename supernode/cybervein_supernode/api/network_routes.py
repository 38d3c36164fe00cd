"""What joins others to the network: where it stands, its file, and the whole chain for replay."""

from dataclasses import asdict
from typing import Final

from cybervein_protocol.api.super_node.backup import BackupDocument, SnapshotDocument
from cybervein_protocol.api.super_node.network import (
    NetworkDocument,
    NetworkFileDocument,
    SuperNodeAddress,
)
from cybervein_protocol.encoding import cid_text
from cybervein_protocol.errors import UnavailableError
from cybervein_protocol.ledger.state.rows import SUPPLY, SUPPLY_ID
from cybervein_protocol.signing import address
from cybervein_runtime.network_file import to_json
from cybervein_runtime.openapi import JSON, JsonAnswer, answers, answers_bytes
from fastapi import APIRouter, Response
from fastapi.responses import StreamingResponse

from cybervein_supernode.api.chain_views import supply_document
from cybervein_supernode.chain.export import export_chain
from cybervein_supernode.node.node import SuperNodeParts

_BYTES: Final = "application/octet-stream"
_EXPORT: Final = "All blocks and units, one canonical DAG-CBOR item after the other."


def network_routes(node: SuperNodeParts) -> APIRouter:
    """`/v1/network`, `/v1/network.json`, `/v1/backup`, `/v1/export`."""
    router = APIRouter(prefix="/v1", tags=["chain"])

    @router.get("/network", **answers(NetworkDocument, refuses=(UnavailableError,)))
    def network() -> JsonAnswer:
        """Where the network stands."""
        return JsonAnswer(_network(node))

    @router.get("/network.json", **answers(NetworkFileDocument))
    def network_file() -> Response:
        """The file by which miners and clients join."""
        nodes = ((node.place.url, node.desk.public),)
        data = to_json(node.desk.view.genesis, nodes, node.place.ca)
        return Response(data, media_type=JSON)

    @router.get("/backup", **answers(BackupDocument))
    def backup() -> JsonAnswer:
        """How far the ledger is kept elsewhere, and whether it was restored from there."""
        return JsonAnswer(_backup(node))

    @router.get("/export", **answers_bytes(_BYTES, _EXPORT))
    def export() -> StreamingResponse:
        """All blocks and units, for replay by `cybervein chain verify --export`."""
        named = {"content-disposition": 'attachment; filename="cybervein-chain.export"'}
        return StreamingResponse(export_chain(node.desk.view), media_type=_BYTES, headers=named)

    return router


def _backup(node: SuperNodeParts) -> BackupDocument:
    backups, restored = node.backups, node.place.restored
    if backups is None:
        return BackupDocument(every_seconds=0, keep=0, last=None, failing="", restored=restored)
    last = None
    if (made := backups.last) is not None:
        last = SnapshotDocument(made.name, made.taken, made.height, made.epoch, made.size)
    return BackupDocument(
        every_seconds=backups.plan.every_seconds,
        keep=backups.plan.keep,
        last=last,
        failing=backups.failing,
        restored=restored,
    )


def _network(node: SuperNodeParts) -> NetworkDocument:
    view = node.desk.view
    head, supply = view.head(), view.rows.find(SUPPLY, SUPPLY_ID)
    if supply is None:
        raise UnavailableError("the chain has no supply row; replay it with `chain verify`")
    return NetworkDocument(
        **asdict(node.clock.moments()),
        network=cid_text(view.network),
        preset=view.preset,
        super_nodes=[SuperNodeAddress(url=node.place.url, address=address(node.desk.public))],
        epoch=head.epoch,
        beacon=head.beacon.hex(),
        height=head.height,
        app_hash=node.chronicle.app_hash.hex(),
        tips=[cid_text(unit) for unit in node.desk.engine.parents()],
        supply=supply_document(supply),
    )
