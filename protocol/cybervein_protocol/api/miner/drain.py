"""How a miner is relieved of everything it holds."""

from typing import Literal

from msgspec import UNSET, UnsetType

from cybervein_protocol.api.document import Count, Document


class DrainProgress(Document):
    """Whether the ledger has the wish, what is left there, and why it makes no progress.

    Version 0.1.0 does not send `promised`.
    """

    final: bool
    plots_live: Count | None
    remaining: Count | None
    blocked_by: str
    promised: Count | UnsetType | None = UNSET


class DrainDocument(Document):
    """Answer to `POST /v1/drain`."""

    v: Literal[1]
    held_shards: Count | None
    draining: bool
    drained: bool
    drain: DrainProgress


class DrainBody(Document, forbid_unknown_fields=True):
    """Body of `POST /v1/drain`."""

    v: Literal[1]
    draining: bool
