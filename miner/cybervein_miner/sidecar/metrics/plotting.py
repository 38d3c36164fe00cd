"""Plots: how many there are, and those in the making."""

from collections.abc import Iterable
from typing import Final

from cybervein_miner.sidecar.metric import MINER, Json, Sample, at, counter, gauge, keyed


def _progress(document: Json) -> Iterable[Sample]:
    shares = [plot["share"] for plot in document.get("plotting_now", [])]
    return [((), sum(shares) / len(shares))] if shares else []


PLOTTING: Final = (
    gauge("plots", MINER, "Plots on disk, by state.", keyed("plots_by_state"), "state"),
    gauge("plots_wanted", MINER, "Plots that the policy asks for.", at("plots_wanted")),
    gauge("plots_bytes", MINER, "Bytes of plots on disk.", at("plot_bytes")),
    gauge("plotting", MINER, "Plots being made.", at("plotting")),
    gauge("plotting_progress_ratio", MINER, "Mean progress of plots being made, 0 to 1.",
          _progress),
    gauge("plotting_left_seconds", MINER,
          "Until every plot that is wanted is made; absent while nobody can tell.",
          at("plotting_left_seconds")),
    counter("plots_made", MINER, "Plots finished since start.", at("counters.plots_made")),
    counter("plots_made_bytes", MINER, "Bytes of plots finished since start.",
            at("counters.plot_bytes_made")),
    counter("plots_failed", MINER, "Plots that failed since start.",
            at("counters.plots_failed")),
)  # fmt: skip
