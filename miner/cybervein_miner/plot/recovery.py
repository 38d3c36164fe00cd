"""Inventory and ledger compared: pure. Where a journal was lost or is old, they differ.

| on the ledger          | here                                | what follows                   |
|------------------------|-------------------------------------|--------------------------------|
| live, in batch B       | the same plot, in no batch or other | it is B's (`theirs`)           |
| live                   | no such plot                        | in time retired (`absent`)     |
| not live, batch passed | said to be in that batch            | registered again (`unlisted`)  |

A batch that waits for its verdict, and one that was void, are left to `Batches.follow`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cybervein_protocol.api.super_node.miners import BatchDocument
from cybervein_protocol.encoding import cid_root, parse_cid

from cybervein_miner.plot.inventory import OwnPlot, PlotState, needs_ledger


@dataclass(frozen=True, slots=True)
class LedgersPlot:
    """A live plot of the ledger: its space root, and the digest of its batch."""

    gamma: bytes
    batch: bytes


@dataclass(frozen=True, slots=True)
class Difference:
    """What to do; `absent` are numbers of plots that the ledger has and this miner does not."""

    theirs: tuple[tuple[OwnPlot, bytes], ...]
    unlisted: tuple[OwnPlot, ...]
    absent: tuple[int, ...]


def digest_of(batch: BatchDocument) -> bytes:
    """The digest by which the inventory knows a batch."""
    return cid_root(parse_cid(batch.batch, "batch"))


def counts_on_ledger(batches: Sequence[BatchDocument]) -> dict[bytes, int]:
    """How many live plots each batch has."""
    return {digest_of(batch): batch.live for batch in batches if batch.live}


def counts_here(rows: Sequence[OwnPlot]) -> dict[bytes, int]:
    """The same as the inventory has it; a unit that is under way counts in neither."""
    listed = (row for row in rows if needs_ledger(row) and row.state is not PlotState.SENT)
    return dict(Counter(row.batch for row in listed if row.batch is not None))


def compare(
    live: Mapping[int, LedgersPlot], rows: Sequence[OwnPlot], batches: Sequence[BatchDocument]
) -> Difference:
    """What differs; `live` is by number."""
    here = {row.number: row for row in rows if row.state is not PlotState.SENT}
    undecided = {digest_of(batch) for batch in batches if batch.state != "active"}
    same = {n: p for n, p in live.items() if n in here and here[n].gamma == p.gamma}
    theirs = [
        (here[n], plot.batch)
        for n, plot in same.items()
        if here[n].batch != plot.batch or here[n].state is PlotState.VOID
    ]
    unlisted = [
        row
        for row in here.values()
        if needs_ledger(row) and row.number not in same and row.batch not in undecided
    ]
    under_way = {row.number for row in rows if row.state is PlotState.SENT}
    absent = sorted(live.keys() - same.keys() - under_way)
    return Difference(tuple(theirs), tuple(unlisted), tuple(absent))
