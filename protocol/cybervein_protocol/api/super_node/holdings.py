"""What the ledger has of one miner: its live plots, and the shards that it must hold.

A miner whose journal is lost learns it from here. Pages continue at `next`, null at the end.
"""

from cybervein_protocol.api.document import Document


class LivePlot(Document):
    """A plot that is neither retired nor void, and the batch in which it came."""

    index: int
    gamma: str
    batch: str


class LivePlotListing(Document):
    """A page of a miner's live plots."""

    plots: list[LivePlot]
    next: str | None


class OwedShard(Document):
    """A shard that the ledger has at a miner, its place in its deal, and who may read it."""

    deal: str
    segment: int
    index: int
    root: str
    size: int
    owner: str


class OwedShardListing(Document):
    """A page of the shards that a miner must hold."""

    shards: list[OwedShard]
    next: str | None
