"""The estimate of space: its rule, its statistics, and what no cheat can do to it."""

import random
import statistics

import pytest
from cybervein_protocol.errors import LimitError, MalformedError
from cybervein_protocol.space import estimate_plots, measured_space
from hypothesis import given
from hypothesis import strategies as st

LIMIT = 1 << 64


def smallest(chance: random.Random, plots: int, m: int) -> list[int]:
    return sorted(chance.randrange(LIMIT) for _ in range(plots))[:m]


@pytest.mark.parametrize(("sent", "registered"), [(0, 5), (3, 5), (5, 5), (8, 8), (7, 100)])
def test_few_answers_count_one_by_one(sent: int, registered: int) -> None:
    assert estimate_plots(range(sent), 8, registered) == sent


def test_m_answers_of_more_plots_are_a_sketch() -> None:
    xs = [10, 20, LIMIT // 100]
    assert estimate_plots(xs, 3, 4) == 2 * LIMIT // (LIMIT // 100 + 1)


@pytest.mark.parametrize(
    ("xs", "error", "text"),
    [
        ([1, 2, 3, 4], LimitError, "at most 3"),
        ([2, 1], MalformedError, "ascending"),
        ([-1, 1], MalformedError, "not in"),
        ([1, LIMIT], MalformedError, "not in"),
    ],
)
def test_impossible_answers_are_refused(xs: list[int], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        estimate_plots(xs, 3, 100)


def test_more_answers_than_registered_plots_are_refused() -> None:
    with pytest.raises(LimitError, match="at most 2"):
        estimate_plots([1, 2, 3], 8, 2)


@pytest.mark.parametrize("plots", [65, 200, 3000])
def test_the_estimate_is_unbiased_with_the_stated_scatter(plots: int) -> None:
    seed, m, epochs = 20261121, 64, 600
    print("seed", seed)
    chance = random.Random(seed)
    found = [estimate_plots(smallest(chance, plots, m), m, plots) for _ in range(epochs)]
    deviation = plots / (m - 2) ** 0.5
    # the mean of 600 epochs scatters by deviation / 24.5: five of these are 1 in 10^6
    assert abs(statistics.mean(found) - plots) < 5 * deviation / epochs**0.5
    if plots > 1000:  # far from all plots answering, the scatter is that of the sketch
        assert statistics.stdev(found) == pytest.approx(deviation, rel=0.15)


def test_a_cheat_that_holds_half_of_its_plots_is_counted_as_half() -> None:
    chance, m, held, registered = random.Random(7), 16, 100, 200
    history = [estimate_plots(smallest(chance, held, m), m, registered) for _ in range(2000)]
    measured = measured_space(history, len(history), registered, 1000)
    assert measured == pytest.approx(held * 1000, rel=0.03)


@given(
    st.lists(st.integers(0, LIMIT - 1), min_size=8, max_size=40).map(sorted),
    st.data(),
)
def test_withholding_an_answer_never_raises_the_estimate(
    xs: list[int], data: st.DataObject
) -> None:
    m, registered = 8, 40
    honest = estimate_plots(xs[:m], m, registered)
    withheld = data.draw(st.integers(0, m - 1))
    rest = [x for place, x in enumerate(xs) if place != withheld]
    assert estimate_plots(rest[:m], m, registered) <= max(honest, m - 1)


def test_missed_and_future_epochs_count_as_nothing() -> None:
    assert measured_space([4, 4, 4, 4], 4, 4, 512) == 4 * 512
    assert measured_space([4, 0, 4, 4], 4, 4, 512) == 3 * 512
    assert measured_space([4], 4, 4, 512) == 512
    assert measured_space([], 4, 4, 512) == 0


def test_only_the_window_counts() -> None:
    assert measured_space([100, 100, 1, 1], 2, 100, 512) == 512


def test_the_cap_follows_the_mean() -> None:
    # capped epoch by epoch this would be (2 + 4) / 2 = 3
    assert measured_space([2, 6], 2, 4, 512) == 4 * 512
    assert measured_space([6, 6], 2, 4, 512) == 4 * 512


def test_a_window_of_no_epochs_is_refused() -> None:
    with pytest.raises(LimitError, match="window of 0"):
        measured_space([1], 0, 1, 512)


@given(st.lists(st.integers(0, 1 << 40), max_size=30), st.integers(1, 20), st.integers(0, 1 << 40))
def test_measured_space_is_an_integer_within_the_cap(
    history: list[int], window: int, registered: int
) -> None:
    measured = measured_space(history, window, registered, 1 << 31)
    assert isinstance(measured, int)
    assert 0 <= measured <= registered << 31
