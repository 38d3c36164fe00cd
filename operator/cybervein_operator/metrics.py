"""The operator's own metrics, for Prometheus; names are listed in docs/metrics.md."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector

from cybervein_operator.api import MinerPhase

_SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """One registry of everything that is counted."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self.reconciles = self._counter(
            "reconciles", "Reconciliations by kind and result.", "kind", "result"
        )
        self._calls = self._counter(
            "api_calls",
            "Calls to the API server; code 0 means no answer.",
            "verb",
            "resource",
            "code",
        )
        self.drains = self._counter(
            "drains", "Drains of miners: started, cancelled, finished.", "step"
        )
        self.drift = self._counter(
            "drift_corrected", "Foreign changes and deletions put back, by resource.", "resource"
        )
        self.events = self._counter("events", "Kubernetes events posted, by type.", "type")
        self.queue_depth = self._gauge("queue_depth", "Keys that wait to be reconciled.")
        self._miners = self._gauge("miners", "Miners by phase.", "phase")
        self.lease_held = self._gauge(
            "lease_held", "1 where this operator holds the namespace's Lease and acts.", "watched"
        )
        self.watch_missing = self._gauge(
            "watch_missing", "1 for a kind that is not watched in a namespace.", "watched", "kind"
        )
        self.polls = self._counter("polls", "Polls of miners, by result.", "result")
        self.poll_seconds = Histogram(
            "cybervein_operator_poll_seconds",
            "Time until a miner's status arrived.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.reconcile_seconds = Histogram(
            "cybervein_operator_reconcile_seconds",
            "Time of a reconciliation, by kind.",
            ("kind",),
            buckets=_SECONDS,
            registry=self.registry,
        )

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"cybervein_operator_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"cybervein_operator_{name}", text, labels, registry=self.registry)

    def api_call(self, verb: str, resource: str, code: int) -> None:
        """Count one call."""
        self._calls.labels(verb, resource, str(code)).inc()

    def miners(self, phases: Mapping[str, int]) -> None:
        """Set the miners of each phase; phases without any are 0."""
        for phase in MinerPhase:
            self._miners.labels(str(phase)).set(phases.get(str(phase), 0))

    def page(self) -> bytes:
        """The metrics page."""
        return generate_latest(self.registry)
