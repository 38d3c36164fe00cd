"""How far a super node's ledger is kept elsewhere, and whether it was restored from there."""

from cybervein_protocol.api.document import Count, Document


class SnapshotDocument(Document):
    """A snapshot of the ledger: when it was taken (unix s), and how far it goes."""

    name: str
    taken: float
    height: Count
    epoch: Count
    size: Count


class RestoredDocument(Document):
    """Blocks above `height` were lost, and signed anew since the restore (`at`, unix s)."""

    snapshot: str
    height: Count
    epoch: Count
    at: float


class BackupDocument(Document):
    """Answer to `GET /v1/backup`: `every_seconds` is 0 where no snapshots are planned."""

    every_seconds: float
    keep: Count
    last: SnapshotDocument | None
    failing: str
    restored: RestoredDocument | None
