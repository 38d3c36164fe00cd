"""Why an epoch paid nothing, and which one can pay first: pure, by the ledger's own words."""

from collections.abc import Sequence

from cybervein_protocol.api.super_node.epochs import PastContribution
from cybervein_protocol.api.super_node.miners import BatchDocument


def why_unpaid(entry: PastContribution, batches: Sequence[BatchDocument]) -> str:
    """What was missing in a closed epoch in which this miner got neither reward nor fees."""
    live = [batch for batch in batches if batch.live and batch.state != "void"]
    begins = [batch.counts_from for batch in live if batch.state == "active"]
    if not any(first <= entry.epoch for first in begins):
        return f"no plot counted in it; {_first(begins, waiting=len(begins) < len(live))}"
    if not entry.estimate:
        return "no space proof was accepted in it"
    if not entry.bandwidth:
        return "its bandwidth is not measured yet, which takes an epoch or two"
    return "its space times its bandwidth is less than a reward takes"


def _first(begins: Sequence[int], *, waiting: bool) -> str:
    if begins:
        return f"epoch {min(begins)} is the first that can be paid, at its end"
    if waiting:
        return "the epoch after the commit audit is the first that can be paid, at its end"
    return "none is registered"
