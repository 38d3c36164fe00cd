"""Measurements: taken once an epoch, averaged slowly, and punishing nobody by mistake."""

import msgspec
import pytest
from cybervein_protocol.ledger.mining.contribution import (
    average_bandwidth,
    plot_bytes,
    reward_pool,
    reward_share,
    space_bytes,
    weight,
)
from cybervein_protocol.ledger.mining.measurements import (
    AuditResult,
    BandwidthEntry,
    BandwidthResult,
    Outcome,
    SpaceResult,
)
from cybervein_protocol.ledger.units.events import MinerPenalised
from cybervein_protocol.presets import LOCAL, MAIN, TEST
from hypothesis import given
from hypothesis import strategies as st
from ledger_chain import ZERO, Chain, audit_entry, genesis_of, keys, space_entry

SATURATED = TEST.bandwidth_saturation_bytes_per_second


def test_results_are_of_the_running_epoch() -> None:
    chain = Chain()
    chain.miners(a=1)
    space = SpaceResult(epoch=1, results=[space_entry("a", 1, TEST)])
    code, reason = chain.void("super", space)
    assert code == "conflict"
    assert "of epoch 1, the running epoch is 2" in reason


def test_one_space_proof_per_miner_and_epoch() -> None:
    chain = Chain()
    chain.miners(a=1)
    chain.measure(a=1)
    again = SpaceResult(epoch=chain.epoch, results=[space_entry("a", 1, TEST)])
    assert "has one already" in chain.void("super", again)[1]
    chain.close()
    chain.measure(a=1)
    assert chain.miner("a").proofs == 2


@pytest.mark.parametrize(("sent", "estimate"), [(1, 2), (7, 8), (9, 9), (0, 1)])
def test_an_estimate_that_its_answers_do_not_show(sent: int, estimate: int) -> None:
    chain = Chain()
    chain.register("a")
    entry = msgspec.structs.replace(space_entry("a", 1, TEST), sent=sent, estimate=estimate)
    body = SpaceResult(epoch=0, results=[entry])
    assert chain.void("super", body)[0] == "malformed"


def test_a_result_about_nobody_is_void() -> None:
    chain = Chain()
    body = SpaceResult(epoch=0, results=[space_entry("a", 1, TEST)])
    assert chain.void("super", body)[0] == "unknown"


def test_space_is_the_window_s_mean_capped_by_what_is_registered() -> None:
    one = plot_bytes(TEST)
    assert space_bytes([8, 8, 8, 8], 8, TEST) == 8 * one
    assert space_bytes([0, 8, 0, 8], 8, TEST) == 4 * one
    assert space_bytes([8], 8, TEST) == 2 * one
    assert space_bytes([8, 8, 8, 12], 8, TEST) == 8 * one
    assert space_bytes([1, 1, 1, 2], 8, TEST) == one * 5 // 4


def test_a_missed_epoch_has_no_weight_whatever_came_before() -> None:
    assert space_bytes([8, 8, 8, 0], 8, TEST) == 0
    assert space_bytes([], 8, TEST) == 0


def test_bandwidth_is_a_slow_average_of_capped_samples() -> None:
    chain = Chain()
    chain.register("a")
    speeds = []
    for speed in (1000, 3000, 3000, 0, 100 * SATURATED):
        chain.bandwidth(a=speed)
        chain.close()
        speeds.append(chain.miner("a").bandwidth)
    assert speeds == [1000, 2000, 2500, 1250, 1250 + (SATURATED - 1250 >> 1)]


def test_one_bandwidth_measurement_per_epoch() -> None:
    chain = Chain()
    chain.register("a")
    chain.bandwidth(a=1)
    entry = BandwidthEntry(miner=keys("a").public, bytes_per_second=9, evidence=ZERO)
    body = BandwidthResult(epoch=0, results=[entry])
    assert chain.void("super", body)[0] == "conflict"


@given(st.integers(0, SATURATED), st.integers(0, 1 << 62))
def test_the_average_moves_towards_the_sample_and_never_past_it(average: int, sample: int) -> None:
    after = average_bandwidth(average, sample, TEST)
    capped = min(sample, SATURATED)
    assert min(average, capped) <= after <= max(average, capped)
    assert 0 <= after <= SATURATED


@given(st.integers(0, 10**6), st.integers(0, 1 << 40))
def test_weight_is_zero_if_either_is_and_grows_with_both(plots: int, speed: int) -> None:
    space = plots * plot_bytes(MAIN)
    assert weight(0, speed, MAIN) == weight(space, 0, MAIN) == 0
    assert weight(2 * space, speed, MAIN) in {2 * weight(space, speed, MAIN), 2 * plots * speed}
    assert weight(space, speed, MAIN) <= plots * MAIN.bandwidth_saturation_bytes_per_second


def test_below_the_threshold_nothing_counts() -> None:
    one = plot_bytes(MAIN)
    assert weight(one, MAIN.weight_threshold - 1, MAIN) == 0
    assert weight(one, MAIN.weight_threshold, MAIN) == MAIN.weight_threshold


@given(st.lists(st.integers(0, 1 << 50), max_size=8))
def test_shares_never_exceed_the_pool(parts: list[int]) -> None:
    total = sum(parts)
    shares = [reward_share(part, total, LOCAL) for part in parts]
    assert sum(shares) <= reward_pool(LOCAL)
    assert not total or sum(shares) > reward_pool(LOCAL) - len(parts)


def bonded_chain() -> Chain:
    chain = Chain(genesis_of(rich=("a",)))
    chain.register("a")
    chain.batch("a", 4, bond=4 * TEST.bond_per_plot_veins)
    return chain


def test_wrong_bytes_burn_bond_once_an_epoch() -> None:
    chain = bonded_chain()
    burnt = chain.machine.supply.burnt
    chain.audit(a="wrong")
    chain.audit(a="wrong")
    assert chain.machine.supply.burnt == burnt + TEST.audit_penalty_veins
    assert chain.miner("a").audits_wrong == 2
    chain.close()
    chain.audit(a="wrong")
    assert chain.miner("a").penalties == 2 * TEST.audit_penalty_veins
    assert [type(event) for event in chain.events].count(MinerPenalised) == 2
    chain.check_books()


@pytest.mark.parametrize("outcome", ["passed", "timeout", "verifier"])
def test_no_other_outcome_costs_a_vein(outcome: Outcome) -> None:
    chain = bonded_chain()
    before = chain.machine.supply
    chain.audit(a=outcome)
    assert chain.machine.supply == before


def test_a_bond_that_is_not_there_cannot_burn() -> None:
    chain = Chain()
    chain.register("a")
    chain.audit(a="wrong")
    assert chain.miner("a").penalties == 0
    chain.check_books()


@pytest.mark.parametrize(
    "changes",
    [
        {"outcome": "passed", "good": 15},
        {"outcome": "passed", "good": 17},
        {"outcome": "wrong", "good": 16},
        {"outcome": "wrong", "good": 3, "miner_sig": b""},
        {"outcome": "timeout", "good": 17},
    ],
)
def test_an_audit_that_contradicts_itself(changes: dict[str, object]) -> None:
    chain = Chain()
    chain.register("a")
    entry = msgspec.structs.replace(audit_entry("a", "passed"), **changes)
    body = AuditResult(epoch=0, results=[entry])
    assert chain.void("super", body)[0] == "malformed"


def test_every_outcome_is_counted_apart() -> None:
    chain = bonded_chain()
    for outcome in ("passed", "wrong", "timeout", "verifier"):
        chain.audit(a=outcome)
    row = chain.miner("a")
    assert (row.audits_passed, row.audits_wrong, row.audits_timeout, row.audits_verifier) == (
        1,
        1,
        1,
        1,
    )
    assert (row.chunks_challenged, row.chunks_good) == (32, 25)
