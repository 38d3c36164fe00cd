"""Placement: default codes, failure domains, determinism, refusals that say why."""

from collections import Counter

import pytest
from cybervein_protocol import placement
from cybervein_protocol.errors import ConflictError, MalformedError
from cybervein_protocol.placement import Candidate, Code
from hypothesis import given
from hypothesis import strategies as st

MIB = 1 << 20


def miners(count: int, *, per_domain: int = 1, free: int = 100 * MIB) -> list[Candidate]:
    return [Candidate(bytes([i]) * 32, f"domain-{i // per_domain}", free) for i in range(count)]


@pytest.mark.parametrize(
    ("domains", "expected"),
    [
        (3, "2/3"), (4, "2/3"), (5, "2/4"), (6, "2/5"), (7, "2/6"), (8, "2/6"), (14, "2/6"),
        (15, "4/12"), (25, "4/12"), (26, "8/21"), (1000, "8/21"),
    ],
)  # fmt: skip
def test_the_default_code_follows_the_live_domains(domains: int, expected: str) -> None:
    assert str(placement.default_code(domains)) == expected


@pytest.mark.parametrize("domains", [0, 1, 2])
def test_too_few_domains_are_refused(domains: int) -> None:
    with pytest.raises(ConflictError, match="failure domains"):
        placement.default_code(domains)


@given(domains=st.integers(8, 300))
def test_from_eight_domains_on_two_stay_spare_for_repair(domains: int) -> None:
    assert placement.default_code(domains).n <= domains - 2


@pytest.mark.parametrize(
    "text", ["", "2", "2/", "/6", "6/2", "3/3", "0/3", "2/256", "a/b", "2/6/7"]
)
def test_a_code_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        placement.parse_code(text)


def test_a_code_is_read() -> None:
    assert placement.parse_code("4/12") == Code(4, 12)


@given(
    seed=st.binary(max_size=32),
    frees=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 50 * MIB)), max_size=30),
    count=st.integers(1, 9),
    taken=st.sets(st.integers(0, 9), max_size=3),
)
def test_shards_land_in_distinct_untaken_domains_with_room_or_not_at_all(
    seed: bytes, frees: list[tuple[int, int]], count: int, taken: set[int]
) -> None:
    known = [Candidate(bytes([i]) * 32, f"d{d}", free) for i, (d, free) in enumerate(frees)]
    taken_domains = {f"d{d}" for d in taken}
    possible = {c.domain for c in known if c.free_bytes >= 8 * MIB} - taken_domains
    if len(possible) < count:
        with pytest.raises(ConflictError, match="cannot place"):
            placement.place(seed, known, 8 * MIB, count, taken_domains=taken_domains)
        return
    chosen = placement.place(seed, known, 8 * MIB, count, taken_domains=taken_domains)
    by_key = {c.miner: c for c in known}
    domains = [by_key[miner].domain for miner in chosen]
    assert len(set(domains)) == count
    assert set(domains) <= possible
    assert placement.place(seed, known[::-1], 8 * MIB, count, taken_domains=taken_domains) == chosen


def test_a_miner_that_just_failed_is_avoided() -> None:
    known = miners(7)
    failed = known[3].miner
    for i in range(20):
        assert failed not in placement.place(bytes([i]), known, MIB, 6, avoid={failed})


def test_more_free_space_draws_more_shards() -> None:
    known = [*miners(3, free=10 * MIB), Candidate(b"\xff" * 32, "big", 90 * MIB)]
    firsts = Counter(placement.place(i.to_bytes(4, "big"), known, MIB, 1)[0] for i in range(600))
    assert 0.65 < firsts[b"\xff" * 32] / 600 < 0.85


def test_a_refusal_counts_what_is_there_and_says_what_to_do() -> None:
    with pytest.raises(ConflictError, match=r"3 failure domains are live.*add miners") as caught:
        placement.place(b"", miners(9, per_domain=3), MIB, 6)
    assert "smaller --code" in str(caught.value)
