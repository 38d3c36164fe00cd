"""Possession sampling: uniform over bytes, fixed by the holding, exact in its detection claim."""

from collections import Counter

from cybervein_protocol import audit
from cybervein_protocol.audit import Held, Outcome, Sample
from hypothesis import given
from hypothesis import strategies as st

MINER = b"\x01" * 32
holdings = st.lists(
    st.builds(Held, root=st.binary(min_size=32, max_size=32), size=st.integers(0, 9000)),
    max_size=12,
    unique_by=lambda held: held.root,
)


def shard(number: int, size: int) -> Held:
    return Held(bytes([number]) * 32, size)


@given(holding=holdings, count=st.integers(1, 40), beacon=st.binary(min_size=32, max_size=32))
def test_samples_are_distinct_chunks_of_the_holding(
    holding: list[Held], count: int, beacon: bytes
) -> None:
    samples = audit.draw_samples(beacon, MINER, holding, count)
    chunks = {held.root: held.chunks for held in holding}
    assert len(samples) == len(set(samples)) == min(count, sum(chunks.values()))
    assert all(0 <= sample.chunk < chunks[sample.root] for sample in samples)


@given(data=st.data(), holding=holdings)
def test_neither_order_nor_luck_changes_the_draw(data: st.DataObject, holding: list[Held]) -> None:
    shuffled = data.draw(st.permutations(holding))
    assert audit.holding_root(shuffled) == audit.holding_root(holding)
    assert audit.draw_samples(b"b" * 32, MINER, shuffled, 9) == audit.draw_samples(
        b"b" * 32, MINER, holding, 9
    )


def test_beacon_miner_and_holding_each_change_the_draw() -> None:
    holding = [shard(1, 1 << 20), shard(2, 1 << 20)]
    base = audit.draw_samples(b"b" * 32, MINER, holding, 16)
    assert audit.draw_samples(b"c" * 32, MINER, holding, 16) != base
    assert audit.draw_samples(b"b" * 32, b"\x02" * 32, holding, 16) != base
    assert audit.draw_samples(b"b" * 32, MINER, [*holding, shard(3, 1)], 16) != base


def test_a_shard_is_drawn_in_proportion_to_its_bytes() -> None:
    holding = [shard(1, 1 << 20), shard(2, 3 << 20)]
    hits = Counter(
        sample.root
        for i in range(400)
        for sample in audit.draw_samples(i.to_bytes(32, "little"), MINER, holding, 16)
    )
    share = hits[shard(2, 0).root] / hits.total()
    assert abs(share - 0.75) < 0.03  # 5.5 standard deviations of 6,400 draws


def test_a_lost_fraction_is_detected_at_least_as_often_as_claimed() -> None:
    holding = [shard(1, 95 << 10), shard(2, 5 << 10)]  # 5 of 100 chunks are lost
    lost = shard(2, 0).root
    rounds = 2000
    caught = sum(
        any(s.root == lost for s in audit.draw_samples(i.to_bytes(32, "big"), MINER, holding, 16))
        for i in range(rounds)
    )
    claimed = 1 - (1 - 0.05) ** 16
    assert caught / rounds >= claimed - 0.04
    assert abs(claimed - 0.5599) < 0.0001


def test_a_small_or_empty_holding_is_drawn_whole() -> None:
    samples = audit.draw_samples(bytes(32), bytes(32), [shard(1, 10_000), shard(2, 1)], 3)
    assert samples == audit.draw_samples(bytes(32), bytes(32), [shard(2, 1), shard(1, 10_000)], 3)
    assert audit.draw_samples(bytes(32), bytes(32), [], 3) == []
    assert audit.draw_samples(bytes(32), bytes(32), [shard(2, 0)], 3) == [
        Sample(shard(2, 0).root, 0)
    ]


def test_an_answered_audit_passes_only_when_every_chunk_is_good() -> None:
    assert audit.outcome_of(16, 16) is Outcome.PASSED
    assert audit.outcome_of(16, 15) is Outcome.WRONG
