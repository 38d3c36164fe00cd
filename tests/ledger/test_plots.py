"""Plots: registered under one seed at a time, bonded, judged, counted, retired."""

import msgspec
import pytest
from cybervein_protocol.encoding import cid_root
from cybervein_protocol.ledger.mining.bodies import (
    NO_ANSWER,
    MinerDrain,
    MinerRegister,
    MinerUpdate,
    PlotBatch,
    PlotRetire,
    PlotVerdict,
)
from cybervein_protocol.ledger.mining.bonds import bond_due
from cybervein_protocol.ledger.state.rows import BATCHES, PLOTS, BatchRow
from cybervein_protocol.ledger.units.events import BatchJudged
from cybervein_protocol.ledger.units.unit import ParsedUnit
from cybervein_protocol.presets import TEST
from cybervein_protocol.space.seed import plot_seed
from ledger_chain import ZERO, Chain, genesis_of, keys, plot_entry

BOND = TEST.bond_per_plot_veins


def mu(name: str, index: int) -> bytes:
    return plot_seed(keys(name).public, index, TEST.plot_rows_log2, TEST.plot_layers)


def state_of(chain: Chain, batch: ParsedUnit) -> BatchRow:
    row = chain.machine.get(BATCHES, cid_root(batch.id))
    assert row is not None
    return row


def counts(chain: Chain, name: str) -> tuple[int, int, int]:
    row = chain.miner(name)
    return row.plots_pending, row.plots_passed, row.plots_active


def due(chain: Chain, name: str) -> int:
    return bond_due(chain.miner(name), chain.preset)


def test_plots_count_from_the_beacon_after_their_batch_passed() -> None:
    chain = Chain()
    chain.register("a")
    batch = chain.batch("a", 3)
    assert counts(chain, "a") == (3, 0, 0)
    chain.close()
    chain.verdict(batch)
    assert counts(chain, "a") == (0, 3, 0)
    assert state_of(chain, batch).counts_from == 2
    chain.close()
    assert counts(chain, "a") == (0, 0, 3)


def test_a_plot_is_live_once() -> None:
    chain = Chain()
    chain.register("a")
    chain.register("b")
    chain.batch("a", 1)
    body = PlotBatch(plots=[plot_entry("b", 0)], bond=0)
    code, reason = chain.void("a", body)
    assert code == "conflict"
    assert "already live" in reason
    chain.do("b", body)


def test_an_unregistered_key_has_no_plots() -> None:
    chain = Chain()
    body = PlotBatch(plots=[plot_entry("a", 0)], bond=0)
    assert chain.void("a", body)[0] == "unknown"


def test_a_batch_is_limited() -> None:
    chain = Chain()
    chain.register("a")
    plots = [plot_entry("a", index) for index in range(TEST.batch_plots_max + 1)]
    code, reason = chain.void("a", PlotBatch(plots=plots, bond=0))
    assert code == "limit"
    assert "65 plots, at most 64; split it" in reason


def test_a_bond_is_paid_now_or_due_within_a_limit() -> None:
    chain = Chain(genesis_of(msgspec.structs.replace(TEST, bond_due_plots_max=3), rich=("a",)))
    chain.register("a")
    chain.batch("a", 2, bond=BOND)
    assert (chain.miner("a").bonded, due(chain, "a")) == (BOND, BOND)
    plots = [plot_entry("a", index) for index in range(2, 5)]
    code, reason = chain.void("a", PlotBatch(plots=plots, bond=0))
    assert code == "limit"
    assert f"pay {BOND} now" in reason
    chain.batch("a", 3, bond=BOND)
    assert (chain.miner("a").bonded, due(chain, "a")) == (2 * BOND, 3 * BOND)
    chain.check_books()


def test_more_bond_than_is_due_is_refused() -> None:
    chain = Chain(genesis_of(rich=("a",)))
    chain.register("a")
    body = PlotBatch(plots=[plot_entry("a", 0)], bond=BOND + 1)
    code, reason = chain.void("a", body)
    assert code == "conflict"
    assert f"only {BOND} are due" in reason


def test_a_failed_batch_is_void_and_its_bond_burnt() -> None:
    chain = Chain(genesis_of(rich=("a",)))
    chain.register("a")
    batch = chain.batch("a", 2, bond=2 * BOND)
    chain.close()
    burnt = chain.machine.supply.burnt
    chain.verdict(batch, passed=False, reason="column does not open")
    assert chain.machine.supply.burnt == burnt + 2 * BOND
    assert counts(chain, "a") == (0, 0, 0)
    assert chain.miner("a").penalties == 2 * BOND
    assert state_of(chain, batch).state == "void"
    assert chain.machine.get(PLOTS, mu("a", 0)) is None
    assert isinstance(chain.events[-1], BatchJudged)
    chain.plots["a"] = 0
    chain.batch("a", 2)
    chain.check_books()


def test_an_active_batch_can_fail_later() -> None:
    chain = Chain()
    chain.miners(a=2)
    batch = next(unit for unit in chain.units if unit == chain.blocks[1].units[0])
    body = PlotVerdict(
        batch=batch, epoch=chain.epoch, passed=False, reason="redrawn", evidence=ZERO
    )
    chain.do("super", body)
    assert counts(chain, "a") == (0, 0, 0)


def test_no_verdict_in_time_voids_a_batch_and_keeps_its_bond() -> None:
    chain = Chain(genesis_of(rich=("a",)))
    chain.register("a")
    before = chain.balance("a payout")
    batch = chain.batch("a", 2, bond=2 * BOND)
    for _ in range(TEST.commit_deadline_epochs):
        chain.close()
    assert state_of(chain, batch).state == "pending"
    chain.close()
    row = state_of(chain, batch)
    assert (row.state, row.reason, row.live) == ("void", "no answer", 0)
    assert chain.miner("a").bonded == 0
    assert chain.balance("a payout") == before + 2 * BOND
    chain.check_books()


def test_a_verdict_of_no_answer_keeps_the_bond_too() -> None:
    chain = Chain(genesis_of(rich=("a",)))
    chain.register("a")
    batch = chain.batch("a", 1, bond=BOND)
    chain.close()
    chain.verdict(batch, passed=False, reason=NO_ANSWER)
    assert chain.balance("a payout") == BOND
    for _ in range(TEST.commit_deadline_epochs + 1):
        chain.close()


def test_a_batch_is_judged_once() -> None:
    chain = Chain()
    chain.register("a")
    batch = chain.batch("a", 1)
    body = PlotVerdict(batch=batch.id, epoch=0, passed=True, reason="", evidence=ZERO)
    chain.do("super", body)
    assert "is active, expected pending" in chain.void("super", body)[1]
    failed = msgspec.structs.replace(body, passed=False)
    chain.do("super", failed)
    assert "is void already" in chain.void("super", failed)[1]
    stranger = msgspec.structs.replace(body, batch=chain.blocks[0].units[0])
    assert chain.void("super", stranger)[0] == "unknown"


@pytest.mark.parametrize("epochs", [0, 1])
def test_a_retired_plot_stops_counting_and_frees_its_bond(epochs: int) -> None:
    chain = Chain(genesis_of(rich=("a",)))
    chain.register("a")
    batch = chain.batch("a", 3, bond=3 * BOND)
    chain.close()
    chain.verdict(batch)
    for _ in range(epochs):
        chain.close()
    chain.do("a", PlotRetire(plots=[mu("a", 1)]))
    assert counts(chain, "a") == ((0, 2, 0) if epochs == 0 else (0, 0, 2))
    assert chain.miner("a").bonded == 2 * BOND
    assert chain.balance("a payout") == BOND
    assert state_of(chain, batch).live == 2
    chain.do("a", PlotBatch(plots=[plot_entry("a", 1)], bond=0))
    chain.check_books()


def test_plots_are_retired_by_their_miner_after_their_verdict() -> None:
    chain = Chain()
    chain.register("a")
    chain.register("b")
    batch = chain.batch("a", 1)
    body = PlotRetire(plots=[mu("a", 0)])
    assert "waits for a verdict" in chain.void("a", body)[1]
    chain.verdict(batch)
    assert chain.void("b", body)[0] == "forbidden"
    chain.do("a", body)
    assert chain.void("a", body)[0] == "unknown"


def test_a_retired_seed_in_a_new_batch_survives_the_old_batch_s_fall() -> None:
    chain = Chain()
    chain.register("a")
    old = chain.batch("a", 2)
    chain.verdict(old)
    chain.do("a", PlotRetire(plots=[mu("a", 0)]))
    chain.do("a", PlotBatch(plots=[plot_entry("a", 0)], bond=0))
    chain.verdict(old, passed=False)
    assert chain.machine.get(PLOTS, mu("a", 0)) is not None
    assert chain.machine.get(PLOTS, mu("a", 1)) is None
    assert counts(chain, "a") == (1, 0, 0)


def test_held_data_keeps_its_share_of_the_bond_locked() -> None:
    """Who holds 2 MiB cannot take the money for moving them and go."""
    chain = Chain(genesis_of(rich=("a", "customer")))
    chain.register("a")
    batch = chain.batch("a", 1, bond=BOND)
    chain.verdict(batch)
    chain.store_deal(1 << 21, "a")
    chain.do("a", PlotRetire(plots=[mu("a", 0)]))
    locked = 2048 * TEST.ingress_veins_per_kib
    assert chain.miner("a").bonded == locked
    for _ in range(4):
        chain.close()
    assert chain.miner("a").held_kib == 0
    chain.close()
    assert chain.miner("a").bonded == 0
    chain.check_books()


def test_a_miner_registers_once_and_moves_its_payout() -> None:
    chain = Chain()
    chain.register("a")
    row = chain.miner("a")
    again = MinerRegister(vrf=row.vrf, payout=ZERO, url="http://x", group="", owner="")
    assert chain.void("a", again)[0] == "conflict"
    update = MinerUpdate(payout=keys("new").public, url="http://new")
    assert chain.void("b", update)[0] == "unknown"
    chain.do("a", update)
    assert (chain.miner("a").payout, chain.miner("a").url) == (keys("new").public, "http://new")


def test_a_draining_miner_registers_no_plots_until_it_cancels() -> None:
    chain = Chain()
    chain.miners(a=2)
    chain.do("a", MinerDrain(draining=True))
    code, reason = chain.void("a", PlotBatch(plots=[plot_entry("a", 5)], bond=0))
    assert (code, "drains; cancel that first" in reason) == ("conflict", True)
    chain.do("a", PlotRetire(plots=[mu("a", 0), mu("a", 1)]))
    chain.do("a", MinerDrain(draining=False))
    entries = [plot_entry("a", 0), plot_entry("a", 1)]
    again = chain.do("a", PlotBatch(plots=entries, bond=0))
    chain.close()
    chain.verdict(again)
    chain.close()
    assert counts(chain, "a") == (0, 0, 2)


def test_a_batch_that_waits_when_a_drain_begins_still_gets_its_verdict() -> None:
    chain = Chain()
    chain.register("a")
    batch = chain.batch("a", 1)
    chain.do("a", MinerDrain(draining=True))
    chain.close()
    chain.verdict(batch)
    chain.do("a", PlotRetire(plots=[mu("a", 0)]))
    assert chain.miner("a").plots_live == 0
