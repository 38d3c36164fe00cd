"""Snapshots on a schedule: the next is due a period after the last one in the vault.

What the vault has counts, not what this process did: a super node that restarts often takes no
more of them. A snapshot that fails is told and tried again; nothing else of the node waits for it.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import structlog
from cybervein_protocol.encoding import cid_text
from cybervein_protocol.errors import CyberVeinError
from cybervein_protocol.ledger.units.genesis import network_id
from cybervein_runtime.duty import Figure

from cybervein_supernode.backup.files import LedgerFiles
from cybervein_supernode.backup.keeping import prune, snapshots
from cybervein_supernode.backup.manifest import Manifest
from cybervein_supernode.backup.snapshot import take
from cybervein_supernode.backup.vault import Vault
from cybervein_supernode.clock.time_source import TimeSource

_log = structlog.get_logger()
RETRY_SECONDS: Final = 30.0
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class BackupPlan:
    """Where snapshots go, how often (seconds), and how many are kept."""

    vault: Vault
    every_seconds: float
    keep: int


class Backups:
    """Takes snapshots as planned; `last` is the newest in the vault, `failing` why none comes."""

    def __init__(self, plan: BackupPlan, files: LedgerFiles, clock: TimeSource) -> None:
        self.plan, self._files, self._clock = plan, files, clock
        self.last: Manifest | None = None
        self.failing = ""
        self._network = cid_text(network_id(files.genesis))

    async def run(self) -> None:
        """Until cancelled."""
        await self._try(self._look)
        while True:
            await self._clock.sleep(self._wait_seconds())
            if not await self._try(self._step):
                await self._clock.sleep(min(RETRY_SECONDS, self.plan.every_seconds))

    def figures(self) -> Sequence[Figure]:
        """The part of the metrics."""
        last = self.last
        period = "Seconds between two snapshots of the ledger, as planned."
        failing = "1 while snapshots of the ledger fail."
        taken = "When the newest snapshot was taken (unix seconds); 0 without one."
        height = "Height of the newest snapshot."
        size = "Bytes of the newest snapshot."
        return (
            Figure("backup_period_seconds", period, self.plan.every_seconds),
            Figure("backup_failing", failing, float(bool(self.failing))),
            Figure("backup_last_timestamp_seconds", taken, last.taken if last else 0.0),
            Figure("backup_last_height", height, last.height if last else 0),
            Figure("backup_last_bytes", size, last.size if last else 0),
        )

    def _wait_seconds(self) -> float:
        """Until the next is due; the wall clock may have jumped, so never longer than a period."""
        if self.last is None:
            return 0.0
        due = self.last.taken + self.plan.every_seconds - self._clock.wall()
        return max(0.0, min(due, self.plan.every_seconds))

    async def _try(self, step: Callable[[], Manifest | None]) -> bool:
        """One step in a thread; what fails is told, and stays told until one succeeds."""
        try:
            self.last = await asyncio.to_thread(step) or self.last
        except (CyberVeinError, OSError) as error:
            self.failing = str(error)
            _log.exception("snapshot failed; trying again", error=self.failing)
            return False
        self.failing = ""
        return True

    def _look(self) -> Manifest | None:
        found = snapshots(self.plan.vault, self._network)
        return found[-1] if found else None

    def _step(self) -> Manifest:
        vault, now = self.plan.vault, self._clock.wall()
        made = take(self._files, vault, now)
        window = self._files.genesis.preset.evidence_epochs
        dropped = prune(vault, self._network, self.plan.keep, window, now)
        _log.info(
            "snapshot taken", name=made.name, height=made.height, bytes=made.size, dropped=dropped
        )
        return made
