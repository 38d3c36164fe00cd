"""What the probes say of a miner (docs/wire.md, section 5).

It has started once it serves, whatever its disks are; it is ready while a disk can be read and an
epoch is known; it is alive unless only a restart helps. No restart mends a disk.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from cybervein_protocol.api.probes import DiskHealth
from cybervein_runtime.probes import Health, Probes

from cybervein_miner.chain.sight import Sight
from cybervein_miner.chain.standing import Standing
from cybervein_miner.disk.rack import Rack
from cybervein_miner.record.journal import Journal
from cybervein_miner.status.disks import DiskBoard


@dataclass(kw_only=True, eq=False)
class Vitals:
    """Judges by the parts; `ended` are the names of loops that have ended."""

    rack: Rack
    disks: DiskBoard
    journal: Journal
    ended: Sequence[str]
    sight: Sight
    standing: Standing

    def probes(self) -> Probes:
        """All three."""
        return Probes(self.started, self.ready, self.alive)

    def started(self) -> Health:
        """It serves, so keys and journal are open and every disk was looked at."""
        return self._health()

    def ready(self) -> Health:
        """Shards can be served."""
        readable = any(disk.readable for disk in self.rack.disks)
        return self._health(
            *(() if self.sight.known else ("no super node has answered yet",)),
            *(() if readable else ("no disk can be read",)),
        )

    def alive(self) -> Health:
        """The event loop answers; what else has ended stays ended until a restart."""
        failing = [f"the duty {name!r} has ended" for name in self.ended]
        if not self.journal.alive:
            failing.append("the journal's thread has ended")
        return Health(tuple(failing))

    def _health(self, *failing: str) -> Health:
        """With every disk named, and what is wrong with it and with the ledger."""
        disks = [
            DiskHealth(disk.id, str(disk.path), disk.state, disk.reason) for disk in self.rack.disks
        ]
        disks += [
            DiskHealth(disk.id, disk.path, disk.state, disk.reason) for disk in self.disks.refused()
        ]
        degraded = (*self.disks.bad(), *self.standing.problems())
        return Health(failing, degraded, disks=disks)
