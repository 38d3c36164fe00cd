"""What only the right signer may ask: a deal's owner for orders and proof, a miner for relief."""

from typing import Final

from cybervein_protocol.api.super_node.miners import InstancesDocument, ReleaseDocument
from cybervein_protocol.encoding import cid_root, decode, encode
from cybervein_protocol.errors import (
    ConflictError,
    ExpiredError,
    ForbiddenError,
    LimitError,
    MalformedError,
    ProofError,
    ReplayError,
    SignatureError,
    StorageError,
    UnavailableError,
    UnknownError,
)
from cybervein_protocol.messages import InstanceNotice, OrderRequest, ReleaseRequest, VerifyRequest
from cybervein_protocol.messages.deals import ORDER_REQUEST_BYTES_MAX, VERIFY_REQUEST_BYTES_MAX
from cybervein_protocol.messages.instances import INSTANCE_NOTICE_BYTES_MAX
from cybervein_protocol.messages.release import RELEASE_REQUEST_BYTES_MAX
from cybervein_protocol.signing import address
from cybervein_runtime.http_client import DAG_CBOR
from cybervein_runtime.http_server import Authenticator, read_body
from cybervein_runtime.openapi import JsonAnswer, answers, answers_bytes, takes_bytes
from cybervein_runtime.parameters import Address, Cid
from fastapi import APIRouter, Request, Response

from cybervein_supernode.api.miner_views import instance_documents
from cybervein_supernode.node.node import SuperNodeParts

_SIGNED: Final = (
    MalformedError,
    SignatureError,
    ForbiddenError,
    UnknownError,
    ReplayError,
    ConflictError,
    ExpiredError,
    LimitError,
    UnavailableError,
    StorageError,
)


def signed_routes(node: SuperNodeParts, authenticator: Authenticator) -> APIRouter:
    """The routes; bodies are DAG-CBOR records."""
    router = APIRouter(prefix="/v1", tags=["submit"])
    _add_deals(router, node, authenticator)
    relief = answers(ReleaseDocument, refuses=_SIGNED)

    @router.post("/miners/{miner}/release", **relief, **takes_bytes(DAG_CBOR, "A ReleaseRequest."))
    async def release(miner: Address, request: Request) -> JsonAnswer:
        """Shards of which a miner asks to be relieved, signed by it; an empty list: of none."""
        body = await read_body(request, RELEASE_REQUEST_BYTES_MAX)
        signer = authenticator.authenticate(request, body)
        wanted = decode(body, ReleaseRequest, "release request", RELEASE_REQUEST_BYTES_MAX)
        if signer != miner:
            raise ForbiddenError(f"{address(miner)}: only the miner itself may ask for its relief")
        held = await node.desk.judge(lambda: node.departures.release(miner, wanted.shards))
        why = node.mover.outlook(miner).blocked_by
        return JsonAnswer(ReleaseDocument(v=1, shards=[r.hex() for r in held], blocked_by=why))

    _add_instances(router, node, authenticator)
    return router


def _add_instances(router: APIRouter, node: SuperNodeParts, authenticator: Authenticator) -> None:
    named = answers(InstancesDocument, refuses=_SIGNED)

    @router.post("/miners/{miner}/instance", **named, **takes_bytes(DAG_CBOR, "An InstanceNotice."))
    async def instance(miner: Address, request: Request) -> JsonAnswer:
        """A process of a miner names itself, signed by the miner; who else did of late."""
        body = await read_body(request, INSTANCE_NOTICE_BYTES_MAX)
        signer = authenticator.authenticate(request, body)
        notice = decode(body, InstanceNotice, "instance notice", INSTANCE_NOTICE_BYTES_MAX)
        if signer != miner:
            raise ForbiddenError(f"{address(miner)}: only its own processes name themselves here")
        node.desk.view.miner(miner)  # nobody is remembered whom the ledger does not know
        node.roster.instances.hear(miner, notice.instance)
        return JsonAnswer(InstancesDocument(v=1, instances=instance_documents(node, miner)))


def _add_deals(router: APIRouter, node: SuperNodeParts, authenticator: Authenticator) -> None:
    granted = answers_bytes(DAG_CBOR, "OrderGrants.", refuses=_SIGNED)
    proven = answers_bytes(DAG_CBOR, "A VerificationAnswer.", refuses=(*_SIGNED, ProofError))

    @router.post("/deals/{deal}/orders", **granted, **takes_bytes(DAG_CBOR, "An OrderRequest."))
    async def orders(deal: Cid, request: Request) -> Response:
        """PUT orders for shards of an open deal, signed by its owner."""
        body = await read_body(request, ORDER_REQUEST_BYTES_MAX)
        signer = authenticator.authenticate(request, body)
        wanted = decode(body, OrderRequest, "order request", ORDER_REQUEST_BYTES_MAX)
        _check_owner(node, cid_root(deal), signer)
        return Response(encode(await node.placement.grant(deal, wanted)), media_type=DAG_CBOR)

    @router.post("/deals/{deal}/verify", **proven, **takes_bytes(DAG_CBOR, "A VerifyRequest."))
    async def verify(deal: Cid, request: Request) -> Response:
        """Challenge every shard of an open deal, signed by its owner."""
        body = await read_body(request, VERIFY_REQUEST_BYTES_MAX)
        signer = authenticator.authenticate(request, body)
        wanted = decode(body, VerifyRequest, "verify request", VERIFY_REQUEST_BYTES_MAX)
        _check_owner(node, cid_root(deal), signer)
        answer = await node.deals.verify(deal, wanted.segments)
        return Response(encode(answer), media_type=DAG_CBOR)


def _check_owner(node: SuperNodeParts, deal: bytes, signer: bytes) -> None:
    owner = node.desk.view.deal(deal).owner
    if owner != signer:
        raise ForbiddenError(
            f"deal {deal.hex()[:16]}… belongs to {address(owner)}; this request is signed by "
            f"{address(signer)}"
        )
