"""What whoever rules a miner may do while it runs: its disks, its drain. The methods block."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import structlog
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
from cybervein_miner.status.board import StatusBoard

_ON_DISK: Final = (PlotState.MADE, PlotState.ACTIVE, PlotState.VOID)
_log = structlog.get_logger()
Json = dict[str, Any]


class Control:
    """The acts behind the control routes; `wake` has the ledger's loop look at once."""

    def __init__(  # noqa: PLR0913, PLR0917 -- built once, in node.py
        self,
        rack: Rack,
        store: ShardStore,
        plotter: Plotter,
        leaving: Leaving,
        drain: Drain,
        board: StatusBoard,
        take_in: Callable[[list[Disk]], None],
        wake: Callable[[], None],
    ) -> None:
        self._rack, self._store, self._plotter = rack, store, plotter
        self._leaving, self._drain, self._board = leaving, drain, board
        self._take_in, self._wake = take_in, wake

    def drain(self, *, draining: bool) -> Json:
        """Begin or cancel the drain of this miner."""
        self._drain.ask(draining=draining)
        self._plotter.paused = draining
        _log.info("drain asked for" if draining else "drain cancelled")
        self._wake()
        return {"v": 1, **self._drain.document()}

    def listing(self) -> list[Json]:
        """All disks."""
        return [*(self._board.disk(disk) for disk in self._rack.disks), *self._board.refused()]

    def add(self, path: Path) -> Json:
        """Claim a disk, or take one back; its plots and shards are taken in."""
        before = self._rack.at(path)
        disk = self._rack.add(path)
        if before is not None and before is not disk:
            self._clear(before)
        self._store.believe_again(disk)
        self._take_in([disk])
        self._wake()
        return self._board.disk(disk)

    def remove(self, disk_id: str, *, force: bool) -> Json:
        """Begin a disk's drain. Forced, it goes at once with what it holds."""
        disk = self._rack.get(disk_id)
        self._rack.leave(disk)
        if force:
            answer = self._board.disk(disk) | {"gone": True}
            self._forget(disk)
            return answer
        gone = self._leaving.give_up_if_done(disk)
        self._wake()
        return self._board.disk(disk) | {"gone": gone}

    def _forget(self, disk: Disk) -> None:
        """Its plots retire on the ledger, its shards are missing from now on; files stay."""
        inventory = self._board.inventory
        for row in inventory.rows(*_ON_DISK):
            if row.disk == disk.id:
                inventory.set_state([row], PlotState.RETIRING, row.batch)
        self._rack.forget(disk)
        self._wake()

    def _clear(self, disk: Disk) -> None:
        """Forget what was on a drained disk."""
        self._store.journal.write_now(lambda db: drop_disk(db, disk.id))
        self._board.inventory.forget(disk)

    def wipe(self, disk_id: str, confirm: str) -> Json:
        """Delete CyberVein's files of a drained disk. Raises ConflictError for any other."""
        disk = self._rack.get(disk_id)
        if confirm != disk.id:
            raise ConflictError(
                f"disk {disk.path}: wiping it deletes {self._store.index.totals(disk.id).shards} "
                f"shards and its plots for good; confirm with its id {disk.id}"
            )
        if not disk.drained:
            raise ConflictError(
                f"disk {disk.path} is {disk.state.value}, only a drained disk is wiped; remove "
                "(drain) it first and wait until nothing remains"
            )
        wiped = wipe(disk)
        self._clear(disk)
        self._rack.forget(disk)
        _log.warning("disk was wiped", path=str(disk.path), files=wiped.files, bytes=wiped.bytes)
        answer = {"id": disk.id, "path": str(disk.path)}
        return {"v": 1, **answer, "files": wiped.files, "bytes": wiped.bytes}
