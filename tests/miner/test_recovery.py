"""Inventory and ledger compared, a twin noticed, and what the ledger refuses sent once an epoch."""

from types import SimpleNamespace
from typing import Any

import pytest
from cybervein_miner.chain.twin import REMEMBERED_SECONDS, Twin
from cybervein_miner.duty.ledger import LedgerLoop
from cybervein_miner.plot.inventory import OwnPlot, PlotState
from cybervein_miner.plot.recovery import (
    Difference,
    LedgersPlot,
    compare,
    counts_here,
    counts_on_ledger,
)
from cybervein_protocol.api.super_node.miners import BatchDocument
from cybervein_protocol.cid import digest_cid
from cybervein_protocol.encoding import cid_text
from cybervein_protocol.errors import ConflictError
from miner_world import Running

FIRST, SECOND = b"1" * 32, b"2" * 32


def plot(number: int, state: PlotState, batch: bytes | None = None) -> OwnPlot:
    name = bytes([number]) * 32
    return OwnPlot(
        number=number, disk="00" * 16, mu=name, kappa=name, gamma=name, plot_id=name,
        state=state, batch=batch, since_epoch=0,
    )  # fmt: skip


def batch(digest: bytes, state: str, live: int) -> BatchDocument:
    return BatchDocument(
        batch=cid_text(digest_cid(digest)), state=state,  # type: ignore[arg-type]
        registered=1, counts_from=3, plots=4, live=live, reason="",
    )  # fmt: skip


def live(*numbers: int, of: bytes = FIRST) -> dict[int, LedgersPlot]:
    return {number: LedgersPlot(bytes([number]) * 32, of) for number in numbers}


NOTHING = Difference((), (), ())


def test_what_is_in_step_is_left_alone() -> None:
    rows = [plot(n, PlotState.ACTIVE, FIRST) for n in (0, 1)] + [plot(2, PlotState.MADE)]
    batches = [batch(FIRST, "active", 2)]
    assert counts_here(rows) == counts_on_ledger(batches) == {FIRST: 2}
    assert compare(live(0, 1), rows, batches) == NOTHING


@pytest.mark.parametrize("state", [PlotState.MADE, PlotState.RETIRING, PlotState.BAD])
def test_a_plot_that_lives_on_the_ledger_gets_its_batch(state: PlotState) -> None:
    row = plot(0, state)
    found = compare(live(0), [row], [batch(FIRST, "active", 1)])
    assert found == Difference(((row, FIRST),), (), ())


def test_a_plot_that_was_registered_anew_since_the_backup_follows_to_its_new_batch() -> None:
    row = plot(0, PlotState.ACTIVE, FIRST)
    batches = [batch(FIRST, "active", 0), batch(SECOND, "pending", 1)]
    assert compare(live(0, of=SECOND), [row], batches).theirs == ((row, SECOND),)


def test_a_plot_that_was_retired_since_the_backup_is_registered_again() -> None:
    row = plot(0, PlotState.ACTIVE, FIRST)
    assert compare({}, [row], [batch(FIRST, "active", 0)]).unlisted == (row,)
    assert compare({}, [row], []).unlisted == (row,)


@pytest.mark.parametrize("state", ["pending", "void"])
def test_a_batch_between_its_unit_and_its_verdict_is_left_to_the_verdict(state: str) -> None:
    row = plot(0, PlotState.PENDING, FIRST)
    assert compare({}, [row], [batch(FIRST, state, 0)]) == NOTHING


def test_a_plot_of_other_bytes_is_not_the_ledgers() -> None:
    row, other = plot(0, PlotState.MADE), {0: LedgersPlot(b"x" * 32, FIRST)}
    assert compare(other, [row], [batch(FIRST, "active", 1)]).absent == (0,)


def test_what_is_on_no_disk_is_absent_but_a_unit_under_way_is_neither() -> None:
    rows = [plot(0, PlotState.SENT, SECOND)]
    assert counts_here(rows) == {}
    assert compare(live(0, 5), rows, [batch(FIRST, "active", 2)]) == Difference((), (), (5,))


def test_a_twin_is_who_changes_what_the_ledger_had_of_us() -> None:
    twin = Twin()
    twin.see("mine", "of the last start", 0.0)
    assert twin.problem() == "", "an address of before this start is this miner's own"
    twin.see("mine", "mine", 1.0)
    twin.see("mine", "its", 2.0)
    assert "the ledger was told its" in twin.problem()
    twin.see("mine", "mine", 3.0)
    assert twin.problem()
    twin.see("mine", "mine", 3.0 + REMEMBERED_SECONDS)
    assert twin.problem() == ""


async def test_what_the_ledger_refuses_is_sent_once_an_epoch_and_told_once() -> None:
    sent: list[int] = []
    loop: Any = SimpleNamespace(
        sight=SimpleNamespace(epoch=4),
        standing=SimpleNamespace(problem=""),
        plotter=SimpleNamespace(idle=lambda: True),
        _refused=(-1, ""),
        _told="",
    )
    told: list[str] = []
    loop._tell = told.append

    async def register(**_: object) -> None:
        sent.append(loop.sight.epoch)
        raise ConflictError("plot 0: already live; retire it first")

    loop.batches = SimpleNamespace(register=register)
    for epoch in (4, 4, 4, 5, 5):
        loop.sight.epoch = epoch
        await LedgerLoop._register(loop, None)  # type: ignore[arg-type]
        assert "already live" in loop.standing.problem
    assert sent == [4, 5]
    assert len(told) == 2


async def test_a_ledger_that_fails_for_days_is_still_asked_every_minute(miner: Running) -> None:
    loop = miner.node.ledger
    loop._failures = 5000
    loop.wake()
    await loop._pause()
