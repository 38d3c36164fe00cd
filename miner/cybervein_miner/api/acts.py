"""What whoever rules a miner may do while it runs: its disks, its drain. The methods block."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import structlog
from cybervein_protocol.api.miner.disks import DiskDocument, RemovedDocument, WipedDocument
from cybervein_protocol.api.miner.drain import DrainDocument
from cybervein_protocol.errors import ConflictError

from cybervein_miner.disk.disk import Disk
from cybervein_miner.disk.rack import Rack
from cybervein_miner.disk.wipe import wipe
from cybervein_miner.leaving.disks import Leaving
from cybervein_miner.leaving.drain import Drain
from cybervein_miner.plot.inventory import PlotState
from cybervein_miner.plot.plotter import Plotter
from cybervein_miner.shard.index import drop_disk
from cybervein_miner.shard.store import ShardStore
from cybervein_miner.status.disks import DiskBoard

_ON_DISK: Final = (PlotState.MADE, PlotState.ACTIVE, PlotState.VOID)
_log = structlog.get_logger()


@dataclass(kw_only=True, eq=False)
class Control:
    """The acts behind the control routes; `wake` has the ledger's loop look at once."""

    rack: Rack
    store: ShardStore
    plotter: Plotter
    leaving: Leaving
    drain: Drain
    disks: DiskBoard
    take_in: Callable[[list[Disk]], None]
    wake: Callable[[], None]
    account: Callable[[], Awaitable[None]]
    """Asks the ledger for plots that are on no disk here."""

    async def account_for(self, *, as_new: bool) -> None:
        """Before a disk is added: a miner that started without a super node asks it now."""
        if not as_new and self.rack.unaccounted.plots is None:
            await self.account()

    def set_drain(self, *, draining: bool) -> DrainDocument:
        """Begin or cancel the drain of this miner."""
        self.drain.ask(draining=draining)
        self.plotter.paused = draining
        _log.info("drain asked for" if draining else "drain cancelled")
        self.wake()
        return self.drain.document()

    def add(self, path: Path, *, as_new: bool) -> DiskDocument:
        """Claim a disk, or take one back; its plots and shards are taken in."""
        before = self.rack.at(path)
        disk = self.rack.add(path, as_new=as_new)
        if before is not None and before is not disk:
            self._clear(before)
        self.store.believe_again(disk)
        self.take_in([disk])
        self.wake()
        _log.info("disk is added", path=str(disk.path), disk=disk.id)
        return self.disks.one(disk)

    def remove(self, disk_id: str, *, force: bool) -> RemovedDocument:
        """Begin a disk's drain. Forced, it goes at once with what it holds."""
        disk = self.rack.get(disk_id)
        self.rack.leave(disk)
        _log.info("disk is to be removed", path=str(disk.path), disk=disk.id, force=force)
        if force:
            answer = self._removed(disk, gone=True)
            self._forget(disk)
            return answer
        gone = self.leaving.give_up_if_done(disk)
        self.wake()
        return self._removed(disk, gone=gone)

    def _removed(self, disk: Disk, *, gone: bool) -> RemovedDocument:
        return RemovedDocument(**msgspec.structs.asdict(self.disks.one(disk)), gone=gone)

    def _forget(self, disk: Disk) -> None:
        """Its plots retire on the ledger, its shards are missing from now on; files stay."""
        inventory = self.disks.inventory
        for row in inventory.rows(*_ON_DISK):
            if row.disk == disk.id:
                inventory.set_state([row], PlotState.RETIRING, row.batch)
        self.rack.forget(disk)
        self.wake()

    def _clear(self, disk: Disk) -> None:
        """Forget what was on a drained disk."""
        self.store.journal.write_now(lambda db: drop_disk(db, disk.id))
        self.disks.inventory.forget(disk)

    def wipe(self, disk_id: str, confirm: str) -> WipedDocument:
        """Delete CyberVein's files of a drained disk. Raises ConflictError for any other."""
        disk = self.rack.get(disk_id)
        if confirm != disk.id:
            raise ConflictError(
                f"disk {disk.path}: wiping it deletes {self.store.index.totals(disk.id).shards} "
                f"shards and its plots for good; confirm with its id {disk.id}"
            )
        if not disk.drained:
            raise ConflictError(
                f"disk {disk.path} is {disk.state.value}, only a drained disk is wiped; remove "
                "(drain) it first and wait until nothing remains"
            )
        wiped = wipe(disk)
        self._clear(disk)
        self.rack.forget(disk)
        _log.warning("disk was wiped", path=str(disk.path), files=wiped.files, bytes=wiped.bytes)
        return WipedDocument(
            v=1, id=disk.id, path=str(disk.path), files=wiped.files, bytes=wiped.bytes
        )
