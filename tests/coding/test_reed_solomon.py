"""Any k of n shares give everything back; what cannot be right is refused."""

from itertools import combinations

import pytest
from cybervein_protocol.coding import CodingError, rs_decode, rs_encode, rs_reconstruct
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

EITHER = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.mark.parametrize(("k", "n"), [(1, 4), (2, 6), (3, 5), (4, 8)])
def test_every_choice_of_k_shares_gives_every_share_back(k: int, n: int, native_mode: str) -> None:
    shares = rs_encode(k, n, [bytes([i + 1, 0, 255, 7 * i]) for i in range(k)])
    for chosen in combinations(range(n), k):
        some = {index: shares[index] for index in chosen}
        assert rs_decode(k, n, some) == shares[:k], native_mode
        assert [rs_reconstruct(k, n, some, index) for index in range(n)] == shares


@EITHER
@given(st.data())
def test_any_code_and_any_shares_round_trip(native_mode: str, data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 40), "n")
    k = data.draw(st.integers(1, n), "k")
    length = data.draw(st.integers(0, 700), "length")
    blocks = [data.draw(st.binary(min_size=length, max_size=length)) for _ in range(min(k, 3))]
    blocks += [bytes(length)] * (k - len(blocks))
    shares = rs_encode(k, n, blocks)
    order = data.draw(st.permutations(range(n)), "order")
    some = {index: shares[index] for index in order[: data.draw(st.integers(k, n), "kept")]}
    assert rs_decode(k, n, some) == blocks, native_mode


@pytest.mark.parametrize(("k", "n"), [(0, 3), (4, 3), (1, 257), (0, 0)])
def test_what_is_no_code_is_refused(k: int, n: int, native_mode: str) -> None:
    with pytest.raises(CodingError, match="1 <= k <= n <= 256"):
        rs_encode(k, n, [b"x"] * k)
    assert native_mode


def test_misfit_shares_are_refused_with_the_reason(native_mode: str) -> None:
    with pytest.raises(CodingError, match="1 data shares given, expected 2"):
        rs_encode(2, 3, [b"a"])
    with pytest.raises(CodingError, match="bytes"):
        rs_encode(2, 3, [b"a", b"bc"])
    with pytest.raises(CodingError, match="1 shares given, 2 needed"):
        rs_decode(2, 3, {1: b"a"})
    with pytest.raises(CodingError, match="indices below 3"):
        rs_decode(2, 3, {1: b"a", 3: b"b"})
    with pytest.raises(CodingError, match="bytes"):
        rs_decode(2, 3, {1: b"a", 2: b"bc"})
    with pytest.raises(CodingError, match="indices below 3"):
        rs_reconstruct(2, 3, {0: b"a", 1: b"b"}, 3)
    assert native_mode
