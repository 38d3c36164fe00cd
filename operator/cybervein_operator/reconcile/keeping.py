"""What a network's status says of its snapshots, and of a restore and its price."""

from datetime import UTC, datetime

from cybervein_protocol.api.super_node.backup import BackupDocument

from cybervein_operator.api import NetworkStatus
from cybervein_operator.api.backup import BackupStatus, RecoveredStatus
from cybervein_operator.judgement.conditions import Notice


def backup_status(told: BackupDocument | None, before: BackupStatus | None) -> BackupStatus | None:
    """The newest snapshot; what was known stays while the super node tells nothing."""
    if told is None or told.last is None:
        return before
    last = told.last
    return BackupStatus(
        snapshot=last.name, time=_time(last.taken), height=last.height, size=last.size
    )


def recovered_status(told: BackupDocument | None, before: NetworkStatus) -> RecoveredStatus | None:
    """The last restore, held against the highest block that was seen before it."""
    restored = told.restored if told else None
    if restored is None:
        return before.recovered
    known, when = before.recovered, _time(restored.at)
    if known is not None and (known.time, known.snapshot) == (when, restored.snapshot):
        return known
    seen = max(before.height or 0, before.backup.height if before.backup else 0, restored.height)
    return RecoveredStatus(
        snapshot=restored.snapshot,
        time=when,
        height=restored.height,
        last_seen_height=seen,
        blocks_lost=seen - restored.height,
    )


def loss_notice(recovered: RecoveredStatus) -> Notice:
    """The event that a restore is worth."""
    return Notice(
        "Warning",
        "LedgerRestored",
        f"restored snapshot {recovered.snapshot} up to block {recovered.height}; the last one seen "
        f"was {recovered.last_seen_height}: at least {recovered.blocks_lost} blocks are gone, and "
        "what they held (payments, deals, registrations) must be sent again",
    )


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
