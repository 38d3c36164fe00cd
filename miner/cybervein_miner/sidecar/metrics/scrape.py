"""The scrape: which source answered, and how fast."""

from typing import Final

from cybervein_miner.sidecar.metric import MetricSpec

UP: Final = MetricSpec(
    name="cybervein_up", kind="gauge", source="", help="1 if the source answered this scrape.",
    read=lambda _: [], labels=("source",),
)  # fmt: skip
DURATION: Final = MetricSpec(
    name="cybervein_source_duration_seconds", kind="gauge", source="",
    help="Time the source took to answer.", read=lambda _: [], labels=("source",),
)  # fmt: skip
