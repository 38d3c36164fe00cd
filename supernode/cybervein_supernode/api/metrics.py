"""`/metrics`: built fresh at each scrape, from the ledger and the counters since start.

Names: prefix `cybervein_supernode_`, base units, `_total` on counters only; no label per miner,
plot, shard, challenge or peer (docs/supernode.md lists them all).
"""

from collections.abc import Iterator

from cybervein_protocol.ledger.mining.contribution import space_bytes, weight
from cybervein_protocol.ledger.state.rows import SUPPLY, SUPPLY_ID, MinerRow
from cybervein_runtime.exposition import metrics_page, metrics_route
from fastapi import APIRouter, Request, Response
from prometheus_client import ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from cybervein_supernode.node.node import SuperNodeParts

PREFIX = "cybervein_supernode_"
COUNTERS = (
    ("blocks", "Engine blocks committed since start.", ""),
    ("units", "Units in blocks since start, by kind.", "kind"),
    ("void_units", "Units that became void since start.", ""),
    ("space_proofs", "Space proofs since start, by outcome.", "outcome"),
    ("commit_responses", "Commit responses since start, by outcome.", "outcome"),
    ("audits", "Possession audits since start, by outcome.", "outcome"),
    ("bandwidth_tests", "Bandwidth measurements since start.", ""),
    ("bandwidth_bytes", "Verified bytes read in bandwidth tests since start.", ""),
    ("verified_deals", "Deals verified before commit since start.", ""),
    ("repairs", "Shard repairs since start, by outcome.", "outcome"),
    ("moves", "Shards moved away from miners that drain since start.", ""),
)


class SuperNodeCollector(Collector):
    """Everything a super node says about itself and its network."""

    def __init__(self, node: SuperNodeParts) -> None:
        self._node = node

    def collect(self) -> Iterator[Metric]:
        """Families of this scrape."""
        yield from self._clock()
        yield from self._supply()
        yield from self._miners()
        yield from self._work()
        for name, text, label in COUNTERS:
            yield self._counter(name, text, label)

    def _clock(self) -> Iterator[Metric]:
        head = self._node.desk.view.head()
        ends = self._node.clock.moments().epoch_ends
        yield _gauge("height", "Height of the last engine block.", head.height)
        yield _gauge("epoch", "The open epoch.", head.epoch)
        text = "When the open epoch ends (unix seconds)."
        yield _gauge("epoch_end_timestamp_seconds", text, ends)

    def _supply(self) -> Iterator[Metric]:
        row = self._node.desk.view.rows.find(SUPPLY, SUPPLY_ID)
        if row is None:
            return
        family = _family("supply_veins", "The supply equation's terms.", "part")
        for part in ("genesis", "minted", "held", "escrowed", "bonded", "burnt"):
            family.add_metric([part], getattr(row, part))
        yield family
        yield _gauge("supply_balanced", "1 while the supply equation holds.", int(row.balanced))

    def _miners(self) -> Iterator[Metric]:
        preset = self._node.desk.preset
        found = self._node.desk.view.miners()
        rows: list[MinerRow] = [row for _, row in found]
        online = sum(self._node.roster.online(key) for key, _ in found)
        spaces = [space_bytes(row.space, row.plots_active, preset) for row in rows]
        weights = [
            weight(space, row.bandwidth or 0, preset)
            for space, row in zip(spaces, rows, strict=True)
        ]
        yield _gauge("miners", "Registered miners.", len(rows))
        yield _gauge("miners_online", "Miners that answered their last status request.", online)
        yield _gauge("plots_active", "Plots that count now.", sum(r.plots_active for r in rows))
        yield _gauge("space_bytes", "Measured space of all miners.", sum(spaces))
        rate = sum(row.bandwidth or 0 for row in rows)
        text = "Measured bandwidth of all miners."
        yield _gauge("bandwidth_bytes_per_second", text, rate)
        yield _gauge("weight", "Sum of contribution weights.", sum(weights))
        held = sum(row.held_kib for row in rows) * 1024
        yield _gauge("held_bytes", "Customer bytes that miners hold, in paid KiB.", held)
        yield _gauge("held_shards", "Customer shards in place.", sum(r.held_shards for r in rows))

    def _work(self) -> Iterator[Metric]:
        hub = self._node.desk.hub
        yield _gauge("event_listeners", "Open event streams.", hub.listeners)
        for figure in self._node.duties.figures():
            yield _gauge(figure.name, figure.text, figure.value)

    def _counter(self, name: str, text: str, label: str) -> Metric:
        counts = self._node.desk.tally.of(name)
        family = CounterMetricFamily(PREFIX + name, text, labels=[label] if label else [])
        if label:
            for value, count in sorted(counts.items()):
                family.add_metric([value], count)
        else:
            family.add_metric([], counts.get("", 0))
        return family


def metrics_routes(node: SuperNodeParts) -> APIRouter:
    """`/metrics`."""
    router = APIRouter(tags=["live"])
    collectors = (SuperNodeCollector(node), ProcessCollector(registry=None))

    @router.get("/metrics", **metrics_route())
    def metrics(request: Request) -> Response:
        """All metrics, built fresh, in the format that the scraper asks for."""
        return metrics_page(request, *collectors)

    return router


def _family(name: str, text: str, label: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(PREFIX + name, text, labels=[label])


def _gauge(name: str, text: str, value: object) -> GaugeMetricFamily:
    return GaugeMetricFamily(PREFIX + name, text, value=float(str(value)))
