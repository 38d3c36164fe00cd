"""What the miner's JSON looks like: the types behind `/openapi.json` (docs/wire.md, section 5).

The status is built as a plain map where its facts are (`status`, `drain`, `leaving`). These types
say its shape for others, and a test holds the two together.
"""

from typing import Any, Final, Literal

import msgspec
from cybervein_protocol.api.errors import ErrorDocument
from cybervein_protocol.api.probes import DiskStateName, ProbeDocument, ProbeFailure
from fastapi import FastAPI


class Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Every field is always there."""


class Remaining(Document, frozen=True):
    """What still keeps a leaving disk; zeros for one that stays."""

    plots: int
    shards: int
    bytes: int


class DiskDocument(Document, frozen=True):
    """One disk."""

    id: str
    path: str
    state: DiskStateName
    reason: str
    leaving: bool
    placeable: bool
    io_errors: int
    capacity_bytes: int
    free_bytes: int
    floor_bytes: int
    available_bytes: int
    plots: int
    plot_bytes: int
    shards: int
    shard_bytes: int
    shards_bad: int
    remaining: Remaining


class RemovedDocument(DiskDocument, frozen=True):
    """Answer to `DELETE /v1/disks/{id}`: the disk, and whether nothing keeps it."""

    gone: bool


class WipedDocument(Document, frozen=True):
    """Answer to a wipe."""

    v: Literal[1]
    id: str
    path: str
    files: int
    bytes: int


class DrainProgress(Document, frozen=True):
    """Whether the ledger has the wish, what is left there, and why it makes no progress."""

    final: bool
    plots_live: int | None
    remaining: int | None
    promised: int | None
    blocked_by: str


class DrainDocument(Document, frozen=True):
    """Answer to `POST /v1/drain`."""

    v: Literal[1]
    held_shards: int | None
    draining: bool
    drained: bool
    drain: DrainProgress


class PlotInTheMaking(Document, frozen=True):
    """A plot on its way: 0 to 1."""

    plot: int
    disk: str
    share: float


class ProofsDocument(Document, frozen=True):
    """Space proofs; counts since the start."""

    counting: int
    last_accepted_epoch: int | None
    last_seconds: float | None
    accepted: int
    refused: int
    missed: int


class NicDocument(Document, frozen=True):
    """Bytes of this machine's interfaces since they came up."""

    received_bytes: int
    sent_bytes: int


class StatusDocument(Document, frozen=True):
    """Answer to `GET /v1/status`."""

    v: Literal[1]
    address: str
    network: str
    version: str
    url: str
    group: str
    owner: str
    payout: str
    registered: bool
    problem: str
    uptime_seconds: float
    clock_skew_seconds: float
    epoch: int
    last_proved_epoch: int | None
    super_node_reachable: bool | None
    disks: list[DiskDocument]
    free_bytes: int
    shards: int
    shard_bytes: int
    shards_bad: int
    shards_lost: int
    shards_trash: int
    held_shards: int | None
    draining: bool
    drained: bool
    drain: DrainProgress
    degraded: list[str]
    bandwidth_cap_bytes_per_second: int | None
    plots: int
    plots_by_state: dict[str, int]
    plots_wanted: int
    plot_size_bytes: int
    plot_bytes: int
    plotting: int
    plotting_now: list[PlotInTheMaking]
    proofs: ProofsDocument
    counters: dict[str, int]
    nic: NicDocument


ANSWERS: Final = (
    DiskDocument,
    RemovedDocument,
    WipedDocument,
    DrainDocument,
    StatusDocument,
    ProbeDocument,
    ProbeFailure,
    ErrorDocument,
)
_REF: Final = "#/components/schemas/{name}"


def answers(kind: type[msgspec.Struct], *, status: int = 200, many: bool = False) -> dict[str, Any]:
    """FastAPI's `responses` of a route that answers with `kind`, or a list of them."""
    one = {"$ref": _REF.format(name=kind.__name__)}
    schema = {"type": "array", "items": one} if many else one
    error = {"$ref": _REF.format(name=ErrorDocument.__name__)}
    return {"responses": {status: _json("done", schema), "default": _json("refused", error)}}


def takes(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """FastAPI's `openapi_extra` of a route whose body is a `kind`."""
    schema = {"$ref": _REF.format(name=kind.__name__)}
    body = {"required": True, "content": {"application/json": {"schema": schema}}}
    return {"openapi_extra": {"requestBody": body}}


def _json(text: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": text, "content": {"application/json": {"schema": schema}}}


def describe(app: FastAPI, *bodies: type[msgspec.Struct]) -> None:
    """Have `/openapi.json` carry the schemas of all documents and of these bodies."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        document = plain()
        _, schemas = msgspec.json.schema_components((*ANSWERS, *bodies), ref_template=_REF)
        document.setdefault("components", {}).setdefault("schemas", {}).update(schemas)
        return document

    app.openapi = openapi  # type: ignore[method-assign] # FastAPI's documented way
