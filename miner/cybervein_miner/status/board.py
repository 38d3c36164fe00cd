"""The public status: what the CLI, the sidecar and super nodes read. No secret, no shard's name."""

import time
from dataclasses import dataclass, field
from importlib.metadata import version

import psutil
from cybervein_protocol.api.miner.status import NicDocument, ProofsDocument, StatusDocument
from cybervein_protocol.encoding import cid_text
from cybervein_protocol.names import PublicKey
from cybervein_protocol.signing import address
from multiformats import CID

from cybervein_miner.chain.clock import NetworkClock
from cybervein_miner.chain.sight import Sight
from cybervein_miner.chain.standing import Standing
from cybervein_miner.leaving.drain import Drain
from cybervein_miner.prover.epochs import EpochWatch
from cybervein_miner.record.tally import Tally
from cybervein_miner.shard.orders import OrderBook
from cybervein_miner.status.disks import DiskBoard
from cybervein_miner.status.ledger import ledger_document, reach_document
from cybervein_miner.status.plots import PlotBoard


@dataclass(kw_only=True, eq=False)
class StatusBoard:
    """Builds the status document from the parts."""

    network: CID
    miner: PublicKey
    disks: DiskBoard
    plots: PlotBoard
    watch: EpochWatch
    sight: Sight
    clock: NetworkClock
    tally: Tally
    drain: Drain
    standing: Standing
    orders: OrderBook
    bandwidth_cap: int | None
    _started: float = field(default_factory=time.monotonic)

    def document(self) -> StatusDocument:
        """The answer to `GET /v1/status`."""
        drain, disks = self.drain.document(), self.disks.listing()
        totals, away = self.disks.index.totals(), self.disks.away()
        plots, running = self.plots.by_state(), self.plots.running()
        plot_bytes = self.plots.inventory.shape.plot_bytes
        free = self.disks.free_bytes()
        return StatusDocument(
            v=1,
            address=address(self.miner),
            network=cid_text(self.network),
            version=version("cybervein"),
            url=self.standing.url,
            group=self.standing.group,
            owner=self.standing.owner,
            payout=self.standing.payout,
            registered=self.standing.registered,
            problem="; ".join(self._problems()),
            uptime_seconds=round(time.monotonic() - self._started, 1),
            clock_skew_seconds=round(self.clock.skew(), 1),
            epoch=self.sight.heard,
            last_proved_epoch=self._last_proved(),
            super_node_reachable=self.sight.reachable,
            disks=disks,
            free_bytes=0 if self.drain.wanted else free,
            shards=totals.shards - away.shards,
            shards_away=away.shards,
            shard_bytes=totals.bytes - away.bytes,
            shards_bad=totals.bad,
            shards_lost=totals.lost,
            shards_trash=totals.trash,
            held_shards=drain.held_shards,
            draining=drain.draining,
            drained=drain.drained,
            drain=drain.drain,
            degraded=self.degraded(),
            bandwidth_cap_bytes_per_second=self.bandwidth_cap,
            plots=sum(plots.values()),
            plots_by_state=plots,
            plots_wanted=sum(self.plots.plotter.wanted().values()),
            plot_size_bytes=plot_bytes,
            plot_bytes=sum(plots.values()) * plot_bytes,
            plotting=len(running),
            plotting_now=running,
            proofs=self._proofs(),
            counters=self.tally.counters(),
            nic=nic_totals(),
            ledger=ledger_document(self.standing),
            reach=reach_document(self.standing),
            plotting_left_seconds=self.plots.left_seconds(),
            instance=self.standing.twin.instance,
            orders_unknown_until=self.orders.unknown_until(self.sight.epoch),
        )

    def _last_proved(self) -> int | None:
        """By this process' memory or the ledger's, whichever is later."""
        known = (self.watch.last_accepted, self.standing.last_proof_epoch)
        return max((epoch for epoch in known if epoch is not None), default=None)

    def degraded(self) -> list[str]:
        """What is wrong, one line each; empty where all is well."""
        totals = self.disks.index.totals()
        bad = {
            "failed verification": totals.bad,
            "lost their file": totals.lost,
            "are away with their disks": self.disks.away().shards,
        }
        ledger = "no super node answers" if self.sight.away else ""
        return [
            *self.disks.bad(),
            *(f"{count} shards {what}" for what, count in bad.items() if count),
            *filter(None, [ledger, *self._problems()]),
        ]

    def _problems(self) -> list[str]:
        """What a person has to mend besides disks."""
        return [*filter(None, [self.clock.problem()]), *self.standing.problems()]

    def _proofs(self) -> ProofsDocument:
        return ProofsDocument(
            counting=self.plots.provable(self.watch.counting()),
            last_accepted_epoch=self.watch.last_accepted,
            last_seconds=self.watch.last_proof_seconds,
            accepted=self.tally.proofs_accepted,
            refused=self.tally.proofs_refused,
            missed=self.tally.proofs_missed,
        )


def nic_totals() -> NicDocument:
    """Bytes of this machine's interfaces but loopback, since they came up."""
    each = psutil.net_io_counters(pernic=True)
    real = [counter for name, counter in each.items() if name != "lo"]
    return NicDocument(
        received_bytes=sum(counter.bytes_recv for counter in real),
        sent_bytes=sum(counter.bytes_sent for counter in real),
    )
