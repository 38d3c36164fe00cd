"""Rewards by N·M, recomputed by separate code: double the plots weigh double, the dead get 0."""

import random
from pathlib import Path

import pytest
import recompute_rewards
from cybervein_protocol.encoding import encode
from cybervein_protocol.ledger.mining.bodies import PlotRetire
from cybervein_protocol.ledger.mining.bonds import bond_due
from cybervein_protocol.ledger.mining.contribution import reward_pool
from cybervein_protocol.ledger.mining.measurements import SpaceEntry, SpaceResult
from cybervein_protocol.ledger.units.events import Contribution, EpochClosed
from cybervein_protocol.presets import TEST
from cybervein_protocol.space.seed import plot_seed
from ledger_chain import Chain, keys
from recompute_rewards import Recomputation

FAST = 1 << 20


def closings(chain: Chain) -> list[EpochClosed]:
    return [event for event in chain.events if isinstance(event, EpochClosed)]


def earned(chain: Chain) -> dict[str, Contribution]:
    """Contributions of the epoch closed last, by name."""
    names = {keys(name).public: name for name in chain.plots}
    return {names[entry.miner]: entry for entry in closings(chain)[-1].contributions}


def recomputed(chain: Chain) -> dict[int, dict[bytes, int]]:
    again = Recomputation(encode(chain.genesis))
    units = {bytes(cid): raw for cid, raw in chain.units.items()}
    for block in chain.blocks:
        again.block(encode(block), units)
    return again.rewards


def assert_recomputed(chain: Chain) -> None:
    ledger = {
        closed.epoch: {entry.miner: entry.reward for entry in closed.contributions if entry.reward}
        for closed in closings(chain)
    }
    assert recomputed(chain) == ledger
    for name in chain.plots:
        key = keys(name).public
        assert chain.miner(name).rewards == sum(row.get(key, 0) for row in ledger.values())


def epoch(chain: Chain, plots: dict[str, int], speeds: dict[str, int] | None = None) -> None:
    """One epoch in which these miners prove that many plots, at these (or one) speeds."""
    if plots:
        chain.measure(**plots)
        chain.bandwidth(**(speeds or dict.fromkeys(plots, FAST)))
    chain.close()


def test_the_recomputation_shares_no_code_with_the_ledger() -> None:
    source = Path(recompute_rewards.__file__).read_text(encoding="utf-8")
    assert "cybervein_protocol" not in source


def test_double_the_plots_at_equal_bandwidth_weigh_double() -> None:
    chain = Chain()
    chain.miners(a=2, b=4)
    for _ in range(6):
        epoch(chain, {"a": 2, "b": 4})
        by_name = earned(chain)
        assert by_name["b"].weight == 2 * by_name["a"].weight > 0
        assert by_name["b"].reward == pytest.approx(2 * by_name["a"].reward, abs=2)
    assert_recomputed(chain)
    chain.check_books()


def test_double_the_bandwidth_at_equal_plots_weighs_double_up_to_saturation() -> None:
    chain = Chain()
    chain.miners(a=2, b=2, c=2, d=2)
    top = TEST.bandwidth_saturation_bytes_per_second
    speeds = {"a": FAST, "b": 2 * FAST, "c": top, "d": 9 * top}
    epoch(chain, dict.fromkeys("abcd", 2), speeds)
    by_name = earned(chain)
    assert by_name["b"].weight == 2 * by_name["a"].weight
    assert by_name["c"].reward == by_name["d"].reward
    assert_recomputed(chain)


def test_a_dead_miner_earns_nothing_after_its_death() -> None:
    chain = Chain()
    chain.miners(a=3, b=3)
    for _ in range(4):
        epoch(chain, {"a": 3, "b": 3})
    alive = chain.miner("b").rewards
    assert alive > 0
    for _ in range(6):
        epoch(chain, {"a": 3})
        by_name = earned(chain)
        assert (by_name["b"].weight, by_name["b"].reward) == (0, 0)
        assert by_name["a"].reward == reward_pool(TEST)
    assert chain.miner("b").rewards == alive
    assert_recomputed(chain)


def test_a_missed_epoch_costs_its_share_of_the_window() -> None:
    chain = Chain()
    chain.miners(a=4, b=4)
    for _ in range(4):
        epoch(chain, {"a": 4, "b": 4})
    epoch(chain, {"a": 4})
    epoch(chain, {"a": 4, "b": 4})
    by_name = earned(chain)
    assert 4 * by_name["b"].weight == 3 * by_name["a"].weight
    assert_recomputed(chain)


@pytest.mark.parametrize("missing", ["plots", "bandwidth"])
def test_one_of_the_two_alone_is_nothing(missing: str) -> None:
    chain = Chain()
    chain.miners(a=4, b=4)
    chain.measure(a=4, **({} if missing == "plots" else {"b": 4}))
    chain.bandwidth(a=FAST, **({} if missing == "bandwidth" else {"b": FAST}))
    chain.close()
    assert earned(chain)["b"].reward == 0
    assert earned(chain)["a"].reward == reward_pool(TEST)
    assert_recomputed(chain)


def test_an_estimate_above_what_is_registered_is_cut_after_the_mean() -> None:
    chain = Chain()
    chain.miners(a=8, b=8)
    for estimate in (8, 20, 8, 20):
        entries = [
            SpaceEntry(
                miner=keys(name).public,
                sent=8,
                estimate=seen,
                smallest=bytes(8),
                vrf_proof=bytes(80),
                evidence=bytes(32),
                miner_sig=bytes(64),
            )
            for name, seen in (("a", estimate), ("b", 8))
        ]
        chain.do("super", SpaceResult(epoch=chain.epoch, results=entries))
        chain.bandwidth(a=FAST, b=FAST)
        chain.close()
    assert earned(chain)["a"].weight == earned(chain)["b"].weight
    assert_recomputed(chain)


def test_missing_bond_is_filled_before_anything_is_paid_out() -> None:
    chain = Chain()
    chain.miners(a=4)
    bond = 4 * TEST.bond_per_plot_veins
    assert bond_due(chain.miner("a"), TEST) == bond
    epoch(chain, {"a": 4})
    entry = earned(chain)["a"]
    assert entry.bond_filled == chain.miner("a").bonded == bond
    assert chain.balance("a payout") == entry.reward - bond
    epoch(chain, {"a": 4})
    assert earned(chain)["a"].bond_filled == 0
    chain.check_books()


def test_what_rounding_leaves_is_not_minted() -> None:
    chain = Chain()
    chain.miners(a=1, b=1, c=1)
    epoch(chain, {"a": 1, "b": 1, "c": 1}, {"a": 4, "b": 8, "c": 16})
    minted = chain.machine.supply.minted
    assert reward_pool(TEST) - 3 < minted < reward_pool(TEST)
    assert minted == closings(chain)[-1].minted


def test_an_epoch_in_which_nobody_proves_mints_nothing() -> None:
    chain = Chain()
    chain.miners(a=1)
    chain.close()
    assert chain.machine.supply.minted == 0
    assert_recomputed(chain)


@pytest.mark.parametrize("seed", range(6))
def test_a_random_history_is_recomputed_to_the_vein(seed: int) -> None:
    """Late joiners, retired plots, failed batches, missed proofs, changing speeds."""
    dice = random.Random(seed)
    chain = Chain()
    chain.miners(a=3, b=6, c=1)
    live = {"a": list(range(3)), "b": list(range(6)), "c": [0]}
    for round_ in range(14):
        if round_ == 3:
            chain.register("d")
        name = dice.choice(sorted(live))
        act = dice.randrange(5)
        if act == 0 and live[name]:
            index = live[name].pop()
            mu = plot_seed(keys(name).public, index, TEST.plot_rows_log2, TEST.plot_layers)
            chain.do(name, PlotRetire(plots=[mu]))
        elif act == 1 and round_ > 3:
            chain.verdict(chain.batch("d", 2), passed=dice.random() < 0.6)
        elif act == 2:
            chain.verdict(chain.batch(name, 2), passed=False)
        proving = {name: len(plots) for name, plots in live.items() if dice.random() < 0.8}
        if round_ > 5:
            proving["d"] = dice.randrange(1, 4)
        if proving:
            chain.measure(**proving)
        measured = {name: dice.randrange(10 * FAST) for name in live if dice.random() < 0.7}
        if measured:
            chain.bandwidth(**measured)
        chain.close()
        chain.check_books()
    assert_recomputed(chain)
