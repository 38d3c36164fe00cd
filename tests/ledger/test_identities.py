"""Neither splitting nor merging identities gains beyond what docs/ledger.md states."""

from cybervein_protocol.ledger.mining.contribution import plot_bytes, weight
from cybervein_protocol.presets import MAIN
from hypothesis import given
from hypothesis import strategies as st

SATURATED = MAIN.bandwidth_saturation_bytes_per_second
PLOTS = st.integers(1, 10_000)
SPEED = st.integers(0, 20 * SATURATED)


def worth(plots: int, speed: int) -> int:
    return weight(plots * plot_bytes(MAIN), speed, MAIN)


@given(
    parts=st.lists(PLOTS, min_size=2, max_size=8),
    speed=SPEED,
    cuts=st.lists(st.integers(0, 1000), min_size=8, max_size=8),
)
def test_splitting_plots_and_uplink_never_gains(
    parts: list[int], speed: int, cuts: list[int]
) -> None:
    """However an uplink is split between the parts: they are measured at the same moment."""
    shares = cuts[: len(parts)]
    total = sum(shares) or 1
    split = sum(
        worth(plots, speed * share // total) for plots, share in zip(parts, shares, strict=True)
    )
    assert split <= worth(sum(parts), speed)


@given(first=PLOTS, second=PLOTS, speeds=st.tuples(SPEED, SPEED))
def test_merging_gains_at_most_up_to_saturation(
    first: int, second: int, speeds: tuple[int, int]
) -> None:
    merged = worth(first + second, sum(speeds))
    assert merged <= (first + second) * SATURATED
    if min(speeds) >= SATURATED:
        assert merged == worth(first, speeds[0]) + worth(second, speeds[1])


def test_what_merging_gains_below_saturation() -> None:
    """Two homes at a quarter of saturation: merged, both count for half of it."""
    quarter = SATURATED // 4
    apart = worth(10, quarter) + worth(10, quarter)
    assert worth(20, 2 * quarter) == 2 * apart
