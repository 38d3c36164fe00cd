"""The public status: what the CLI, the sidecar and super nodes read. No secret, no shard's name."""

import time
from collections import Counter
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

import psutil
from cybervein_protocol.encoding import cid_text
from cybervein_protocol.errors import CyberVeinError, ForbiddenError
from cybervein_protocol.signing import address
from multiformats import CID

from cybervein_miner.chain.clock import NetworkClock
from cybervein_miner.chain.sight import Sight
from cybervein_miner.chain.standing import Standing
from cybervein_miner.disk.disk import Disk, DiskState
from cybervein_miner.leaving.disks import Leaving, StillHeld
from cybervein_miner.leaving.drain import Drain
from cybervein_miner.plot.inventory import Inventory, OwnPlot, PlotState
from cybervein_miner.plot.plotter import Plotter
from cybervein_miner.prover.epochs import EpochWatch
from cybervein_miner.record.tally import Tally
from cybervein_miner.shard.index import ShardIndex, Totals

Json = dict[str, Any]
_NUMBERS = (
    *("io_errors", "capacity_bytes", "free_bytes", "floor_bytes", "available_bytes"),
    *("plots", "plot_bytes", "shards", "shard_bytes", "shards_bad"),
)


@dataclass(kw_only=True, eq=False)
class StatusBoard:
    """Builds the status document from the parts."""

    network: CID
    miner: bytes
    inventory: Inventory
    plotter: Plotter
    index: ShardIndex
    watch: EpochWatch
    sight: Sight
    clock: NetworkClock
    tally: Tally
    drain: Drain
    leaving: Leaving
    standing: Standing
    bandwidth_cap: int | None
    _started: float = field(default_factory=time.monotonic)

    def document(self) -> Json:
        """The answer to `GET /v1/status`."""
        return {
            "v": 1,
            "address": address(self.miner),
            "network": cid_text(self.network),
            "version": version("cybervein"),
            "url": self.standing.url,
            "group": self.standing.group,
            "owner": self.standing.owner,
            "payout": self.standing.payout,
            "registered": self.standing.registered,
            "problem": self.standing.problem,
            "uptime_seconds": round(time.monotonic() - self._started, 1),
            "clock_skew_seconds": round(self.clock.skew(), 1),
            "epoch": self.sight.heard,
            "last_proved_epoch": self._last_proved(),
            "super_node_reachable": self.sight.reachable,
            **self._storage(),
            **self.drain.document(),
            "degraded": self.degraded(),
            "bandwidth_cap_bytes_per_second": self.bandwidth_cap,
            **self._plots(),
            "proofs": self._proofs(),
            "counters": self.tally.as_json(),
            "nic": nic_totals(),
        }

    def _storage(self) -> Json:
        plots = Counter(row.disk for row in self.inventory.rows())
        disks = [self._disk(disk, plots[disk.id]) for disk in self.inventory.rack.disks]
        disks += self.refused()
        totals = self.index.totals()
        free = sum(each["available_bytes"] for each in disks if each["placeable"])
        return {
            "disks": disks,
            "free_bytes": 0 if self.drain.wanted else free,
            "shards": totals.shards,
            "shard_bytes": totals.bytes,
            "shards_bad": totals.bad,
            "shards_lost": totals.lost,
            "shards_trash": totals.trash,
        }

    def _last_proved(self) -> int | None:
        """By this process' memory or the ledger's, whichever is later."""
        known = (self.watch.last_accepted, self.standing.last_proof_epoch)
        return max((epoch for epoch in known if epoch is not None), default=None)

    def degraded(self) -> list[str]:
        """What is wrong, one line each; empty where all is well."""
        totals = self.index.totals()
        bad = {"failed verification": totals.bad, "lost their file": totals.lost}
        ledger = "no super node answers" if self.sight.away else ""
        return [
            *self.bad_disks(),
            *(f"{count} shards {what}" for what, count in bad.items() if count),
            *filter(None, [ledger, self.standing.problem]),
        ]

    def bad_disks(self) -> list[str]:
        """One line for each disk that cannot be used as it should."""
        fine = {DiskState.READY, DiskState.DRAINED}
        disks = [disk for disk in self.inventory.rack.disks if disk.state not in fine]
        known = [f"disk {disk.path}: {disk.state.value} ({disk.reason})" for disk in disks]
        return known + [f"disk {each['path']}: {each['reason']}" for each in self.refused()]

    def refused(self) -> list[Json]:
        """Paths that were given and are no disk of this miner: listed without an id."""
        numbers = dict.fromkeys(_NUMBERS, 0)
        return [
            {
                "id": "",
                "path": str(path),
                "state": (DiskState.FOREIGN if _foreign(error) else DiskState.MISSING).value,
                "reason": str(error),
                "leaving": False,
                "placeable": False,
                **numbers,
                "remaining": StillHeld().as_json(),
            }
            for path, error in self.inventory.rack.refused.items()
        ]

    def disk(self, disk: Disk) -> Json:
        """One disk as JSON."""
        return self._disk(disk, sum(row.disk == disk.id for row in self.inventory.rows()))

    def _disk(self, disk: Disk, plots: int) -> Json:
        space, totals = disk.space(), self.index.totals(disk.id)
        return {
            "id": disk.id,
            "path": str(disk.path),
            "state": disk.state.value,
            "reason": disk.reason or (self.leaving.blocked_by if disk.leaving else ""),
            "leaving": disk.leaving,
            "placeable": disk.placeable,
            "io_errors": disk.io_errors,
            "capacity_bytes": space.capacity,
            "free_bytes": space.free,
            "floor_bytes": space.floor,
            "available_bytes": disk.available(),
            "plots": plots,
            "plot_bytes": plots * self.inventory.shape.plot_bytes,
            **_shards(totals),
            "remaining": self.leaving.remaining(disk).as_json(),
        }

    def _plots(self) -> Json:
        rows = [row for row in self.inventory.rows() if not self._drained(row)]
        count = Counter(row.state for row in rows)
        states = {state.value: count[state] for state in PlotState}
        running = list(self.plotter.running.values())
        return {
            "plots": len(rows),
            "plots_by_state": states,
            "plots_wanted": sum(self.plotter.wanted().values()),
            "plot_size_bytes": self.inventory.shape.plot_bytes,
            "plot_bytes": len(rows) * self.inventory.shape.plot_bytes,
            "plotting": len(running),
            "plotting_now": [
                {"plot": each.number, "disk": each.disk, "share": each.done / max(1, each.total)}
                for each in running
            ],
        }

    def _drained(self, row: OwnPlot) -> bool:
        """Whether a plot is only a file that was left on a drained disk."""
        return any(d.drained and d.id == row.disk for d in self.inventory.rack.disks)

    def _proofs(self) -> Json:
        return {
            "counting": len(self.watch.counting()),
            "last_accepted_epoch": self.watch.last_accepted,
            "last_seconds": self.watch.last_proof_seconds,
            "accepted": self.tally.proofs_accepted,
            "refused": self.tally.proofs_refused,
            "missed": self.tally.proofs_missed,
        }


def _foreign(error: CyberVeinError) -> bool:
    return isinstance(error, ForbiddenError)


def _shards(totals: Totals) -> Json:
    return {"shards": totals.shards, "shard_bytes": totals.bytes, "shards_bad": totals.bad}


def nic_totals() -> Json:
    """Bytes of this machine's interfaces but loopback, since they came up."""
    each = psutil.net_io_counters(pernic=True)
    real = [counter for name, counter in each.items() if name != "lo"]
    return {
        "received_bytes": sum(counter.bytes_recv for counter in real),
        "sent_bytes": sum(counter.bytes_sent for counter in real),
    }
