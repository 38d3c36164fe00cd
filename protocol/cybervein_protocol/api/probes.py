"""What `/startupz`, `/readyz` and `/healthz` answer, each with its reasons."""

from typing import Literal

from msgspec import UNSET, UnsetType

from cybervein_protocol.api.disk_state import DiskState
from cybervein_protocol.api.document import Document
from cybervein_protocol.api.errors import ErrorDocument


class DiskHealth(Document):
    """A disk in a probe's body."""

    id: str
    path: str
    state: DiskState
    reason: str


class ProbeDocument(Document):
    """A probe that passes; `disks` are a miner's, `pending_units` a super node's."""

    status: Literal["ok", "degraded"]
    reasons: list[str]
    disks: list[DiskHealth] | UnsetType = UNSET
    pending_units: int | UnsetType = UNSET


class ProbeFailure(ErrorDocument):
    """A probe that fails (503): the error document with the same details."""

    reasons: list[str]
    disks: list[DiskHealth] | UnsetType = UNSET
    pending_units: int | UnsetType = UNSET
