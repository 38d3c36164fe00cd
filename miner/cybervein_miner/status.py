"""The public status: what the CLI, the sidecar and super nodes read. No secret, no shard's name."""

import time
from collections import Counter
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import psutil
from cybervein_protocol.encoding import cid_text
from cybervein_protocol.signing import address
from multiformats import CID

from cybervein_miner.chain.clock import NetworkClock
from cybervein_miner.disk.disk import Disk
from cybervein_miner.plot.inventory import Inventory, PlotState
from cybervein_miner.plot.plotter import Plotter
from cybervein_miner.prover.epochs import EpochWatch
from cybervein_miner.shard.index import ShardIndex, Totals
from cybervein_miner.tally import Tally

Json = dict[str, Any]


@dataclass(slots=True)
class Standing:
    """What changes as the miner goes along; the node writes it."""

    url: str = ""
    payout: str = ""
    registered: bool = False
    problem: str = ""


class StatusBoard:
    """Builds the status document from the parts."""

    def __init__(  # noqa: PLR0913, PLR0917 -- built once, in node.py
        self,
        network: CID,
        miner: bytes,
        inventory: Inventory,
        plotter: Plotter,
        index: ShardIndex,
        watch: EpochWatch,
        clock: NetworkClock,
        tally: Tally,
    ) -> None:
        self._network, self._miner = network, miner
        self._inventory, self._plotter, self._index = inventory, plotter, index
        self._watch, self._clock, self._tally = watch, clock, tally
        self._started = time.monotonic()
        self.standing = Standing()

    def document(self) -> Json:
        """The answer to `GET /v1/status`."""
        return {
            "v": 1,
            "address": address(self._miner),
            "network": cid_text(self._network),
            "version": version("cybervein"),
            "url": self.standing.url,
            "payout": self.standing.payout,
            "registered": self.standing.registered,
            "problem": self.standing.problem,
            "uptime_seconds": round(time.monotonic() - self._started, 1),
            "clock_skew_seconds": round(self._clock.skew(), 1),
            "epoch": self._watch.epoch,
            "super_node_reachable": self._watch.reachable,
            **self._storage(),
            **self._plots(),
            "proofs": self._proofs(),
            "counters": self._tally.as_json(),
            "nic": nic_totals(),
        }

    def _storage(self) -> Json:
        plots = Counter(row.disk for row in self._inventory.rows())
        disks = [self._disk(disk, plots[disk.id]) for disk in self._inventory.rack.disks]
        totals = self._index.totals()
        return {
            "disks": disks,
            "free_bytes": sum(each["available_bytes"] for each in disks if each["placeable"]),
            "shards": totals.shards,
            "shard_bytes": totals.bytes,
            "shards_bad": totals.bad,
            "shards_lost": totals.lost,
            "shards_trash": totals.trash,
        }

    def disk(self, disk: Disk) -> Json:
        """One disk as JSON."""
        return self._disk(disk, sum(row.disk == disk.id for row in self._inventory.rows()))

    def _disk(self, disk: Disk, plots: int) -> Json:
        space, totals = disk.space(), self._index.totals(disk.id)
        return {
            "id": disk.id,
            "path": str(disk.path),
            "state": disk.state.value,
            "reason": disk.reason,
            "leaving": disk.leaving,
            "placeable": disk.placeable,
            "io_errors": disk.io_errors,
            "capacity_bytes": space.capacity,
            "free_bytes": space.free,
            "floor_bytes": space.floor,
            "available_bytes": disk.available(),
            "plots": plots,
            "plot_bytes": plots * self._inventory.shape.plot_bytes,
            **_shards(totals),
        }

    def _plots(self) -> Json:
        rows = self._inventory.rows()
        count = Counter(row.state for row in rows)
        states = {state.value: count[state] for state in PlotState}
        running = list(self._plotter.running.values())
        return {
            "plots": len(rows),
            "plots_by_state": states,
            "plots_wanted": sum(self._plotter.wanted().values()),
            "plot_size_bytes": self._inventory.shape.plot_bytes,
            "plot_bytes": len(rows) * self._inventory.shape.plot_bytes,
            "plotting": len(running),
            "plotting_now": [
                {"plot": each.number, "disk": each.disk, "share": each.done / max(1, each.total)}
                for each in running
            ],
        }

    def _proofs(self) -> Json:
        return {
            "counting": len(self._watch.counting()),
            "last_accepted_epoch": self._watch.last_accepted,
            "last_seconds": self._watch.last_proof_seconds,
            "accepted": self._tally.proofs_accepted,
            "refused": self._tally.proofs_refused,
            "missed": self._tally.proofs_missed,
        }


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
