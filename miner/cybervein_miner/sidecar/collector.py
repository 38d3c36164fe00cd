"""Answers into metrics: a custom collector that lives for one scrape and keeps nothing."""

from collections.abc import Iterable, Iterator, Mapping

import structlog
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from cybervein_miner.sidecar.metric import MetricSpec, Sample
from cybervein_miner.sidecar.metrics.scrape import DURATION, UP
from cybervein_miner.sidecar.registry import METRICS
from cybervein_miner.sidecar.sources import SourceAnswer

_log = structlog.get_logger()


class ScrapeCollector(Collector):
    """The metrics of one round of answers."""

    def __init__(self, answers: Mapping[str, SourceAnswer]) -> None:
        self._answers = answers

    def collect(self) -> Iterator[Metric]:
        """One family for each metric whose source answered."""
        up = [((name,), float(a.document is not None)) for name, a in self._answers.items()]
        yield family(UP, up)
        yield family(DURATION, [((name,), a.seconds) for name, a in self._answers.items()])
        for spec in METRICS:
            answer = self._answers[spec.source]
            if answer.document is not None:
                yield family(spec, _read(spec, answer))


def _read(spec: MetricSpec, answer: SourceAnswer) -> list[Sample]:
    """Values; a document of another version loses one metric, not the page."""
    try:
        return list(spec.read(answer.document or {}))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        _log.warning("metric cannot be read", metric=spec.name, error=repr(error))
        return []


def family(spec: MetricSpec, samples: Iterable[Sample]) -> Metric:
    """A metric family with its samples."""
    if spec.kind == "info":
        info = InfoMetricFamily(spec.name.removesuffix("_info"), spec.help)
        for labels, _ in samples:
            info.add_metric([], dict(zip(spec.labels, labels, strict=True)))
        return info
    kind = CounterMetricFamily if spec.kind == "counter" else GaugeMetricFamily
    metric = kind(spec.name, spec.help, labels=spec.labels)
    for labels, value in samples:
        metric.add_metric(labels, value)
    return metric
