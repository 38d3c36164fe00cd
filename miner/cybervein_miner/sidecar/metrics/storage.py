"""Customers' shards, and the bytes that move."""

from typing import Final

from cybervein_miner.sidecar.metric import MINER, at, counter, gauge, picked

STORAGE: Final = (
    gauge("shards", MINER, "Shards on disk, by state.",
          picked(held="shards", away="shards_away", bad="shards_bad", lost="shards_lost",
                 trash="shards_trash"),
          "state"),
    gauge("shards_bytes", MINER, "Bytes of customers' shards held.", at("shard_bytes")),
    gauge("bandwidth_cap_bytes_per_second", MINER,
          "Cap on shard and plot traffic; absent without one.",
          at("bandwidth_cap_bytes_per_second")),
    gauge("shards_free_bytes", MINER, "Bytes that new shards may take.", at("free_bytes")),
    counter("uploads", MINER, "Shards received since start, by outcome.",
            picked(stored="counters.uploads", failed="counters.upload_failures"), "outcome"),
    counter("uploads_bytes", MINER, "Bytes of stored uploads.", at("counters.upload_bytes")),
    counter("downloads", MINER, "Shard reads since start, by outcome.",
            picked(served="counters.downloads", failed="counters.download_failures"), "outcome"),
    counter("downloads_bytes", MINER, "Bytes of served reads.", at("counters.download_bytes")),
    counter("outboards_mended", MINER, "Outboards made again since start.",
            at("counters.outboards_mended")),
    counter("deletes", MINER, "Shards given up by their owners.", at("counters.deletes")),
    counter("requests_refused", MINER, "Shard requests refused since start.",
            at("counters.refused")),
    counter("bandwidth_reads_bytes", MINER, "Bytes of plots read by bandwidth tests.",
            at("counters.plot_read_bytes")),
)  # fmt: skip
