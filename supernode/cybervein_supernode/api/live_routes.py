"""Live events over server-sent events, health and readiness."""

from collections.abc import AsyncIterator
from typing import Annotated

import msgspec
from cybervein_protocol.api.super_node.events import EVENTS
from cybervein_protocol.errors import MalformedError, UnavailableError
from cybervein_runtime.openapi import JsonAnswer, answers_events
from cybervein_runtime.parameters import Whole
from cybervein_runtime.probes import PROBE, Health
from fastapi import APIRouter, Header, Query
from sse_starlette import EventSourceResponse, ServerSentEvent

from cybervein_supernode.desk.events import LISTENERS_MAX, EventHub
from cybervein_supernode.node.node import SuperNodeParts

PING_SECONDS = 15


def live_routes(node: SuperNodeParts) -> APIRouter:
    """`/v1/events`, `/startupz`, `/healthz`, `/readyz`."""
    router = APIRouter(tags=["live"])

    described = answers_events(EVENTS, refuses=(MalformedError, UnavailableError))

    @router.get("/v1/events", **described)
    async def events(
        after: Annotated[Whole | None, Query()] = None,
        last: Annotated[Whole | None, Header(alias="last-event-id")] = None,
    ) -> EventSourceResponse:
        """Server-sent events: block, epoch, proof, audit, bandwidth, deal, repair, miner, batch.

        A listener that comes back (`Last-Event-ID`), or asks for what came `after` an event's
        number, first gets what the short history still has.
        """
        if node.desk.hub.listeners >= LISTENERS_MAX:
            raise UnavailableError(f"{LISTENERS_MAX} listeners already; try again later")
        seen = after if last is None else last
        return EventSourceResponse(_stream(node.desk.hub, seen), ping=PING_SECONDS)

    @router.get("/startupz", **PROBE)
    async def startupz() -> JsonAnswer:
        """The chain is open: it was, before this node served."""
        return Health().response()

    @router.get("/healthz", **PROBE)
    async def healthz() -> JsonAnswer:
        """503 only when a restart helps: a duty has ended."""
        return Health(tuple(f"duty {name} has ended" for name in node.duties.ended)).response()

    @router.get("/readyz", **PROBE)
    async def readyz() -> JsonAnswer:
        """Blocks can be written, and it is known which miners answer: a put works."""
        return Health(_unready(node), pending_units=node.desk.engine.pending).response()

    return router


def _unready(node: SuperNodeParts) -> tuple[str, ...]:
    failing = node.desk.engine.failing
    blocks = (f"blocks are not written: {failing}",) if failing else ()
    asking = () if node.roster.looked else ("miners are being asked for the first time",)
    return (*blocks, *asking)


async def _stream(hub: EventHub, after: int | None) -> AsyncIterator[ServerSentEvent]:
    """Until the listener goes, falls behind, or the node stops."""
    with hub.subscribe(after) as listener:
        while not listener.closed:
            event = await listener.next()
            if event is None:
                return
            data = msgspec.json.encode(event.document).decode()
            yield ServerSentEvent(data=data, event=event.document.name, id=str(event.number))
