"""What others hand in: units and proofs, from anybody who has them."""

import asyncio
from typing import Annotated, Final, Literal

from cybervein_protocol.api.super_node.proofs import ProofVerdict, SpaceProofVerdict
from cybervein_protocol.api.super_node.units import UnitStatus
from cybervein_protocol.encoding import cid_root, cid_text, node_cid
from cybervein_protocol.errors import (
    ConflictError,
    ExpiredError,
    ForbiddenError,
    FundsError,
    LimitError,
    MalformedError,
    ProofError,
    ReplayError,
    SignatureError,
    StorageError,
    UnavailableError,
    UnknownError,
)
from cybervein_protocol.messages.proofs import COMMIT_RESPONSE_BYTES_MAX, SPACE_PROOF_BYTES_MAX
from cybervein_runtime.http_client import DAG_CBOR
from cybervein_runtime.http_server import read_body
from cybervein_runtime.openapi import JsonAnswer, answers, takes_bytes
from cybervein_runtime.outcome import outcome
from fastapi import APIRouter, Query, Request

from cybervein_supernode.api.free_units import FreeUnits
from cybervein_supernode.node.node import SuperNodeParts

FINAL_SECONDS_MAX = 30.0
"""`?wait=final` holds this long."""
DURABLE_SECONDS_MAX = 5.0
"""A unit is acknowledged once its block is on disk; this is how long one waits for that."""
_ACCEPTED: Final = 202
_JUDGED: Final = (
    MalformedError,
    SignatureError,
    ForbiddenError,
    UnknownError,
    ConflictError,
    ReplayError,
    LimitError,
    ProofError,
    UnavailableError,
)
_UNITS: Final = (*_JUDGED, FundsError, StorageError)
_PROOFS: Final = (*_JUDGED, ExpiredError, StorageError)
Wait = Annotated[Literal["final"] | None, Query()]


def submit_routes(node: SuperNodeParts, free_units: FreeUnits) -> APIRouter:
    """The routes; bodies are DAG-CBOR records."""
    router = APIRouter(prefix="/v1", tags=["submit"])
    unit = answers(UnitStatus, status=_ACCEPTED, refuses=_UNITS)

    @router.post("/units", **unit, **takes_bytes(DAG_CBOR, "A unit."))
    async def units(request: Request, wait: Wait = None) -> JsonAnswer:
        """Hand in a unit. `final` or `void`: it is in a block; `pending`: it waits for one."""
        raw = await read_body(request, node.desk.preset.unit_bytes_max)
        if request.client is not None:
            free_units.check(request.client.host, raw)
        seconds = FINAL_SECONDS_MAX if wait == "final" else DURABLE_SECONDS_MAX
        return JsonAnswer(await _submit(node, raw, seconds), _ACCEPTED)

    _add_proofs(router, node)
    return router


def _add_proofs(router: APIRouter, node: SuperNodeParts) -> None:
    space = answers(SpaceProofVerdict, refuses=_PROOFS)
    commit = answers(ProofVerdict, refuses=_PROOFS)

    @router.post("/space-proofs", **space, **takes_bytes(DAG_CBOR, "A SpaceProof."))
    async def space_proofs(request: Request) -> JsonAnswer:
        """Hand in a space proof; judged at once."""
        entry = await node.space.accept(await read_body(request, SPACE_PROOF_BYTES_MAX))
        sent, estimate = entry.sent, entry.estimate
        verdict = SpaceProofVerdict(accepted=True, reason="", sent=sent, estimate=estimate)
        return JsonAnswer(verdict)

    @router.post("/commit-responses", **commit, **takes_bytes(DAG_CBOR, "A CommitResponse."))
    async def commit_responses(request: Request) -> JsonAnswer:
        """Hand in a batch's commit response; judged at once, the verdict is a unit."""
        reason = await node.commits.accept(await read_body(request, COMMIT_RESPONSE_BYTES_MAX))
        return JsonAnswer(ProofVerdict(accepted=not reason, reason=reason))


async def _submit(node: SuperNodeParts, raw: bytes, seconds: float) -> UnitStatus:
    """Queue a unit and wait for its block."""
    place = await asyncio.to_thread(node.desk.view.history.unit, cid_root(node_cid(raw)))
    if place is not None:
        raise ReplayError(
            f"unit {cid_text(node_cid(raw))}: in block {place.height} already; nothing to do"
        )
    unit, future = await node.desk.engine.submit(raw)
    try:
        inclusion = await outcome(future, seconds)
    except TimeoutError:
        return UnitStatus(id=cid_text(unit), status="pending")
    return UnitStatus(
        id=cid_text(unit),
        status=inclusion.status,
        height=inclusion.height,
        code=inclusion.code,
        reason=inclusion.reason,
    )
