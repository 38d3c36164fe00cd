"""A listing of the ledger is read from its place on: no page sorts, or looks at rows before it.

The planner decides by tables and indexes alone, so a small file shows what a large one would do.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
import write_stores
from cybervein_supernode.chain.store import Chain
from cybervein_supernode.chain.view import LedgerView
from dumps import restore

MINER = write_stores.MINER.public
RELEASES = ("before-0.1.0", "0.1.0", "0.2.0", "before-0.3.0")
Listing = Callable[[LedgerView], object]
LISTINGS: dict[str, Listing] = {
    "a miner's plots": lambda view: view.live_plots(MINER, b"", 1),
    "a miner's counting plots": lambda view: view.plots_of(MINER),
    "a miner's shards, by page": lambda view: view.owed_shards(MINER, b"", 1),
    "a miner's shards": lambda view: view.shards_of_miner(MINER),
    "their ids": lambda view: view.shard_ids_of_miner(MINER),
    "a miner's batches": lambda view: view.batches_of(MINER),
    "places of a root": lambda view: view.shards_of_root(b"r" * 32),
    "shards of a deal": lambda view: view.shards_of_deal(b"d" * 32),
    "an owner's deals": lambda view: view.deals_of(MINER, 1),
    "all miners": lambda view: view.miners(),
    "units of a block": lambda view: list(view.history.units_of(1)),
}


@pytest.fixture(params=RELEASES)
def view(request: pytest.FixtureRequest, tmp_path: Path) -> LedgerView:
    """The ledger of an earlier release, as this one has upgraded it."""
    path = restore(request.param, "ledger", tmp_path)
    Chain(path, write_stores.GENESIS).close()
    return LedgerView(path, write_stores.GENESIS)


def plans(view: LedgerView, listing: Listing) -> list[str]:
    """How SQLite finds the rows of each query that a listing makes."""
    queries: list[str] = []
    view.sql.set_trace_callback(queries.append)
    listing(view)
    view.sql.set_trace_callback(None)
    assert queries
    explained = [view.sql.execute(f"EXPLAIN QUERY PLAN {query}") for query in queries]
    return [step[3] for steps in explained for step in steps]


@pytest.mark.parametrize("name", LISTINGS)
def test_a_listing_searches_and_never_sorts(view: LedgerView, name: str) -> None:
    steps = plans(view, LISTINGS[name])
    assert [step for step in steps if not step.startswith("SEARCH")] == []


def test_the_first_deals_of_everybody_are_read_in_the_order_they_lie_in(view: LedgerView) -> None:
    steps = plans(view, lambda found: found.deals_of(None, 1))
    assert steps == ["SCAN deal_of USING COVERING INDEX deal_of_owner"]


def test_pages_of_one_plot_give_all_plots_in_order(view: LedgerView) -> None:
    found, after = [], b""
    while True:
        rows, following = view.live_plots(MINER, after, 1)
        found += rows
        if following is None:
            break
        after = following
    assert [row.index for row in found] == [row.index for row in view.live_plots(MINER, b"", 9)[0]]
    assert sorted(row.index for row in found) == [0, 1]
