"""What others hand in: units, proofs, and the two requests of a deal's owner."""

import asyncio
from typing import Annotated, Literal

from cybervein_protocol.encoding import cid_root, cid_text, decode, encode, node_cid, parse_cid
from cybervein_protocol.errors import ForbiddenError, ReplayError
from cybervein_protocol.messages import OrderRequest, ReleaseRequest, VerifyRequest
from cybervein_protocol.messages.deals import ORDER_REQUEST_BYTES_MAX, VERIFY_REQUEST_BYTES_MAX
from cybervein_protocol.messages.proofs import COMMIT_RESPONSE_BYTES_MAX, SPACE_PROOF_BYTES_MAX
from cybervein_protocol.messages.release import RELEASE_REQUEST_BYTES_MAX
from cybervein_protocol.signing import address, parse_address
from cybervein_runtime.http_client import DAG_CBOR
from cybervein_runtime.http_server import Authenticator, read_body
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse

from cybervein_supernode.api.free_units import FreeUnits
from cybervein_supernode.api.views import Json
from cybervein_supernode.node.node import SuperNode

FINAL_SECONDS_MAX = 30.0
"""`?wait=final` holds this long."""
DURABLE_SECONDS_MAX = 5.0
"""A unit is acknowledged once its block is on disk; this is how long one waits for that."""
_ACCEPTED = 202


def submit_routes(
    node: SuperNode, authenticator: Authenticator, free_units: FreeUnits
) -> APIRouter:
    """The routes; bodies are DAG-CBOR records."""
    router = APIRouter(prefix="/v1", tags=["submit"])

    @router.post("/units", status_code=_ACCEPTED)
    async def units(
        request: Request, wait: Annotated[Literal["final"] | None, Query()] = None
    ) -> JSONResponse:
        """Hand in a unit. `final` or `void`: it is in a block; `pending`: it waits for one."""
        raw = await read_body(request, node.desk.preset.unit_bytes_max)
        if request.client is not None:
            free_units.check(request.client.host, raw)
        seconds = FINAL_SECONDS_MAX if wait == "final" else DURABLE_SECONDS_MAX
        return JSONResponse(await _submit(node, raw, seconds), status_code=_ACCEPTED)

    @router.post("/space-proofs")
    async def space_proofs(request: Request) -> Json:
        """Hand in a space proof; judged at once."""
        entry = await node.space.accept(await read_body(request, SPACE_PROOF_BYTES_MAX))
        return {"accepted": True, "reason": "", "sent": entry.sent, "estimate": entry.estimate}

    @router.post("/commit-responses")
    async def commit_responses(request: Request) -> Json:
        """Hand in a batch's commit response; judged at once, the verdict is a unit."""
        raw = await read_body(request, COMMIT_RESPONSE_BYTES_MAX)
        reason = await node.commits.accept(raw)
        return {"accepted": not reason, "reason": reason}

    @router.post("/deals/{text}/orders")
    async def orders(text: str, request: Request) -> Response:
        """PUT orders for shards of an open deal, signed by its owner."""
        body = await read_body(request, ORDER_REQUEST_BYTES_MAX)
        signer = authenticator.authenticate(request, body)
        deal = parse_cid(text, "deal")
        wanted = decode(body, OrderRequest, "order request", ORDER_REQUEST_BYTES_MAX)
        _check_owner(node, cid_root(deal), signer)
        granted = await node.placement.grant(deal, wanted)
        return Response(encode(granted), media_type=DAG_CBOR)

    @router.post("/deals/{text}/verify")
    async def verify(text: str, request: Request) -> Response:
        """Challenge every shard of an open deal, signed by its owner."""
        body = await read_body(request, VERIFY_REQUEST_BYTES_MAX)
        signer = authenticator.authenticate(request, body)
        deal = parse_cid(text, "deal")
        wanted = decode(body, VerifyRequest, "verify request", VERIFY_REQUEST_BYTES_MAX)
        _check_owner(node, cid_root(deal), signer)
        answer = await node.deals.verify(deal, wanted.segments)
        return Response(encode(answer), media_type=DAG_CBOR)

    @router.post("/miners/{text}/release")
    async def release(text: str, request: Request) -> Json:
        """Shards of which a miner asks to be relieved, signed by it; an empty list: of none."""
        body = await read_body(request, RELEASE_REQUEST_BYTES_MAX)
        signer, miner = authenticator.authenticate(request, body), parse_address(text)
        wanted = decode(body, ReleaseRequest, "release request", RELEASE_REQUEST_BYTES_MAX)
        if signer != miner:
            raise ForbiddenError(f"{text}: only this miner itself asks for its relief")
        held = await node.desk.judge(lambda: node.departures.release(miner, wanted.shards))
        why = node.mover.drain_json(miner)["blocked_by"]
        return {"v": 1, "shards": [root.hex() for root in held], "blocked_by": why}

    return router


async def _submit(node: SuperNode, raw: bytes, seconds: float) -> Json:
    """Queue a unit and wait for its block."""
    place = await asyncio.to_thread(node.desk.view.unit, cid_root(node_cid(raw)))
    if place is not None:
        raise ReplayError(
            f"unit {cid_text(node_cid(raw))}: in block {place.height} already; nothing to do"
        )
    unit, future = await node.desk.engine.submit(raw)
    try:
        inclusion = await asyncio.wait_for(asyncio.shield(future), seconds)
    except TimeoutError:
        return {"id": cid_text(unit), "status": "pending"}
    return {
        "id": cid_text(unit),
        "status": inclusion.status,
        "height": inclusion.height,
        "code": inclusion.code,
        "reason": inclusion.reason,
    }


def _check_owner(node: SuperNode, deal: bytes, signer: bytes) -> None:
    owner = node.desk.view.deal(deal).owner
    if owner != signer:
        raise ForbiddenError(
            f"deal {deal.hex()[:16]}… belongs to {address(owner)}; this request is signed by "
            f"{address(signer)}"
        )
