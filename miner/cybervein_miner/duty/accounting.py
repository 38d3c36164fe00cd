"""Which plots the ledger counts, and whether they are on disks that are known here.

Asked once at the start, before an empty path is claimed, and again by `recovery` whenever ledger
and journal differ.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

from cybervein_protocol.api.super_node.miners import BatchDocument
from cybervein_protocol.encoding import cid_root, parse_cid
from cybervein_protocol.errors import CyberVeinError, MalformedError, UnknownError
from cybervein_protocol.signing import address
from cybervein_runtime.parameters import parse_root

from cybervein_miner.chain.super_node import MinersSuperNode
from cybervein_miner.plot.inventory import Inventory
from cybervein_miner.plot.recovery import LedgersPlot, compare, counts_on_ledger

PAGES_MAX: Final = 10_000
ASK_SECONDS: Final = 10.0
"""A super node that is slower than this is away, as far as the start is concerned."""


async def live_plots(super_node: MinersSuperNode, miner: bytes) -> dict[int, LedgersPlot]:
    """The live plots by number. Raises UnknownError where a super node of 0.2.0 is asked."""
    found: dict[int, LedgersPlot] = {}
    own, after = address(miner), ""
    for _ in range(PAGES_MAX):
        page = await super_node.live_plots(own, after)
        for plot in page.plots:
            batch = cid_root(parse_cid(plot.batch, "batch"))
            found[plot.index] = LedgersPlot(parse_root(plot.gamma), batch)
        if page.next is None:
            return found
        after = page.next
    raise MalformedError(f"{super_node.url}: the list of live plots has no end")


def about_absent(inventory: Inventory, batches: Sequence[BatchDocument]) -> int:
    """How many plots are on no disk here, by their count: a super node of 0.2.0 lists none."""
    return max(0, sum(counts_on_ledger(batches).values()) - len(inventory.rows()))


async def account_once(inventory: Inventory, super_node: MinersSuperNode) -> None:
    """Learn how many plots are on no disk that is known here, if the ledger answers soon."""
    unaccounted = inventory.rack.unaccounted
    try:
        async with asyncio.timeout(ASK_SECONDS):
            unaccounted.learn(await _absent(inventory, super_node))
    except (CyberVeinError, TimeoutError):
        unaccounted.without_answer()


async def _absent(inventory: Inventory, super_node: MinersSuperNode) -> int:
    view = await super_node.own_miner()
    if view is None:
        return 0
    try:
        live = await live_plots(super_node, inventory.miner)
    except UnknownError:
        return about_absent(inventory, view.batches)
    return len(compare(live, inventory.rows(), view.batches).absent)
