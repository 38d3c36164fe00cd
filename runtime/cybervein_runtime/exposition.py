"""`/metrics` of every server: Prometheus text, or OpenMetrics where the scraper asks for it."""

from typing import Any

from fastapi import Request, Response
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector, CollectorRegistry

from cybervein_runtime.openapi import answers_bytes


def metrics_route() -> dict[str, Any]:
    """Keywords of the route: both formats."""
    page = answers_bytes("text/plain", "All metrics, in the format that the scraper asks for.")
    as_open = answers_bytes("application/openmetrics-text", "")["responses"][200]["content"]
    page["responses"][200]["content"] |= as_open
    return page


def metrics_page(request: Request, *collectors: Collector) -> Response:
    """What these collectors tell now, in the format of the request's `Accept`."""
    registry = CollectorRegistry(auto_describe=False)
    for collector in collectors:
        registry.register(collector)
    encode, content_type = choose_encoder(request.headers.get("accept", ""))
    return Response(encode(registry), headers={"content-type": content_type})
