"""How a miner is relieved of everything it holds."""

from typing import Literal

from cybervein_protocol.api.document import Document


class DrainProgress(Document):
    """Whether the ledger has the wish, what is left there, and why it makes no progress."""

    final: bool
    plots_live: int | None
    remaining: int | None
    promised: int | None
    blocked_by: str


class DrainDocument(Document):
    """Answer to `POST /v1/drain`."""

    v: Literal[1]
    held_shards: int | None
    draining: bool
    drained: bool
    drain: DrainProgress


class DrainBody(Document, forbid_unknown_fields=True):
    """Body of `POST /v1/drain`."""

    v: Literal[1]
    draining: bool
