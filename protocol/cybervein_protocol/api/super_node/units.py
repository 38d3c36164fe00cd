"""Units and the engine blocks that hold them."""

from typing import Any, Literal

from msgspec import UNSET, UnsetType

from cybervein_protocol.api.document import Document

UnitState = Literal["pending", "final", "void"]


class UnitStatus(Document):
    """Where a unit is; `pending` ones have no `height`. `code` and `reason`: why one is void."""

    id: str
    status: UnitState
    height: int | UnsetType = UNSET
    code: str | UnsetType | None = UNSET
    reason: str | UnsetType | None = UNSET


class UnitDocument(UnitStatus):
    """A unit of the chain: all fields unless `pending`; `unit` is its body where asked for."""

    position: int | UnsetType = UNSET
    kind: str | UnsetType = UNSET
    issuer: str | UnsetType = UNSET
    bytes: int | UnsetType = UNSET
    unit: dict[str, Any] | UnsetType = UNSET


class VoidDocument(Document):
    """A unit of a block that paid its fee and changed nothing else."""

    unit: str
    code: str


class BlockDocument(Document):
    """An engine block."""

    height: int
    id: str
    prev: str | None
    epoch: int
    units: list[str]
    voids: list[VoidDocument]
    app_hash: str
    proposer: str
    bytes: int


class FullBlockDocument(BlockDocument):
    """An engine block with its units."""

    contents: list[UnitDocument]


class BlockListing(Document):
    """Blocks, newest first; `height` is the chain's."""

    height: int
    blocks: list[BlockDocument]
