"""The fewest miners with whom a file can still be read."""

from cybervein_up.fewest import fewest
from hypothesis import given
from hypothesis import strategies as st

MINERS = [f"miner-{number}" for number in range(8)]
HOLDERS = st.sets(st.sampled_from(MINERS), min_size=3).map(frozenset)


def test_one_segment_is_read_from_k_miners() -> None:
    kept = fewest({("deal", 0): frozenset(MINERS[:6])}, 2, "miner-3")
    assert len(kept) == 2
    assert "miner-3" in kept


@given(st.lists(HOLDERS, min_size=1, max_size=6), st.integers(1, 3), st.data())
def test_every_segment_has_k_holders_and_nobody_is_superfluous(
    held: list[frozenset[str]], k: int, data: st.DataObject
) -> None:
    first = data.draw(st.sampled_from(sorted(held[0])))
    kept = fewest({("deal", number): each for number, each in enumerate(held)}, k, first)
    assert first in kept
    assert all(len(each & kept) >= k for each in held)
    for miner in kept - {first}:
        assert any(len(each & (kept - {miner})) < k for each in held)


def test_too_few_holders_keep_all_there_are() -> None:
    assert fewest({("deal", 0): frozenset({"a", "b"})}, 3, "a") == {"a", "b"}
