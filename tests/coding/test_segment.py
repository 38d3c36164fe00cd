"""A segment survives the loss of n - k shards, and nothing that was changed passes for it."""

import pytest
from blake3 import blake3
from cybervein_protocol.coding import (
    CHUNK_PLAIN,
    CodingError,
    DamagedChunkError,
    SegmentSecret,
    SegmentShape,
    decode_segment,
    decode_stripes,
    encode_segment,
    rebuild_shard,
    repair_key,
    rs_reconstruct,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SECRET = SegmentSecret(blake3(b"file key").digest(), blake3(b"salt").digest())
REPAIR = repair_key(SECRET.file_key, SECRET.salt)
SIZE = 3 * CHUNK_PLAIN + 1234
SHAPE = SegmentShape(SIZE, 3, 5, last=True)
EITHER = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def content(size: int) -> bytes:
    return (bytes(range(251)) * (size // 251 + 1))[:size]


def shards(shape: SegmentShape = SHAPE) -> dict[int, bytes]:
    pairs = encode_segment(content(shape.size), SECRET, shape)
    return {index: shard for index, (_, shard) in enumerate(pairs)}


def test_roots_are_the_hashes_of_the_masked_shards(native_mode: str) -> None:
    for root, shard in encode_segment(content(SIZE), SECRET, SHAPE):
        assert root == blake3(shard).digest(), native_mode


@EITHER
@given(st.data())
def test_any_k_shards_give_any_run_of_chunks(native_mode: str, data: st.DataObject) -> None:
    sizes = st.sampled_from([0, 1, CHUNK_PLAIN - 1, CHUNK_PLAIN, CHUNK_PLAIN + 1])
    size = data.draw(sizes | st.integers(0, 4 * CHUNK_PLAIN), "size")
    k, n = data.draw(st.sampled_from([(1, 2), (2, 6), (3, 5), (4, 12), (8, 21)]), "code")
    shape = SegmentShape(size, k, n, last=True)
    first = data.draw(st.integers(0, shape.chunks - 1), "first")
    stop = data.draw(st.integers(first + 1, shape.chunks), "stop")
    chosen = data.draw(st.permutations(range(n)), "order")[:k]
    low, high = shape.leaves(first, stop)
    pieces = {index: shards(shape)[index][low:high] for index in chosen}
    got = decode_stripes(pieces, SECRET, shape, (first, stop), threads=2)
    start, end = shape.plain_range(first, stop)
    assert got == content(size)[start:end], native_mode
    whole = {index: shards(shape)[index] for index in chosen}
    assert decode_segment(whole, SECRET, shape) == content(size), native_mode


@pytest.mark.parametrize(("index", "used"), [(0, (0, 1, 2)), (2, (0, 2, 3)), (4, (1, 3, 4))])
def test_a_damaged_shard_is_found_in_its_chunk(
    index: int, used: tuple[int, ...], native_mode: str
) -> None:
    have = shards()
    bad = bytearray(have[index])
    bad[SHAPE.leaf_range(2)[0] + 17] ^= 4
    use = {i: have[i] for i in used} | {index: bytes(bad)}
    with pytest.raises(DamagedChunkError, match="chunk 2 does not verify"):
        decode_segment(use, SECRET, SHAPE)
    low, high = SHAPE.leaves(0, 2)
    before = {i: shard[low:high] for i, shard in use.items()}
    assert decode_stripes(before, SECRET, SHAPE, (0, 2)) == content(2 * CHUNK_PLAIN), native_mode


def test_another_key_salt_or_place_does_not_open_it(native_mode: str) -> None:
    have = shards()
    swapped = {**have, 0: have[1], 1: have[0]}
    for secret, use in (
        (SegmentSecret(bytes(32), SECRET.salt), have),
        (SegmentSecret(SECRET.file_key, bytes(32)), have),
        (SECRET, swapped),
    ):
        with pytest.raises(DamagedChunkError, match="chunk 0"):
            decode_segment(use, secret, SHAPE)
    assert native_mode


def test_a_file_cut_at_the_end_of_a_chunk_does_not_verify(native_mode: str) -> None:
    cut = SegmentShape(2 * CHUNK_PLAIN, 3, 5, last=True)
    short = {index: shard[: cut.shard_size] for index, shard in shards().items()}
    with pytest.raises(DamagedChunkError, match="chunk 1"):
        decode_segment(short, SECRET, cut)
    assert native_mode


@pytest.mark.parametrize("size", [0, 1, CHUNK_PLAIN, SIZE])
def test_any_shard_is_rebuilt_from_k_others_without_the_plaintext(
    size: int, native_mode: str
) -> None:
    for k, n in ((1, 3), (2, 6), (3, 5)):
        have = shards(SegmentShape(size, k, n, last=True))
        for target in range(n):
            others = [index for index in have if index != target][-k:]
            some = {index: have[index] for index in others}
            assert rebuild_shard(REPAIR, some, k, n, target) == have[target], native_mode


def test_k_pooled_shards_do_not_make_another(native_mode: str) -> None:
    """Without the repair key the code alone gives something else than the masked shard."""
    have = shards()
    pooled = {index: have[index] for index in (0, 1, 2)}
    assert rs_reconstruct(3, 5, pooled, 3) != have[3], native_mode
    assert rebuild_shard(bytes(32), pooled, 3, 5, 3) != have[3]


def test_misfit_input_is_refused_with_the_reason(native_mode: str) -> None:
    have = shards()
    with pytest.raises(CodingError, match="2 shares given, 3 needed"):
        decode_segment({0: have[0], 1: have[1]}, SECRET, SHAPE)
    with pytest.raises(CodingError, match="indices below 5"):
        decode_segment({**have, 5: have[0]}, SECRET, SHAPE)
    with pytest.raises(CodingError, match="piece of a shard has"):
        decode_segment({**have, 1: have[1][:-1]}, SECRET, SHAPE)
    for chunks in ((0, 5), (2, 2), (4, 5)):
        with pytest.raises(CodingError, match="expected a non-empty range within 4 chunks"):
            decode_stripes(have, SECRET, SHAPE, chunks)
    with pytest.raises(CodingError, match="its shape has"):
        encode_segment(b"short", SECRET, SHAPE)
    with pytest.raises(CodingError, match="2 shares given, 3 needed"):
        rebuild_shard(REPAIR, {0: have[0], 1: have[1]}, 3, 5, 2)
    with pytest.raises(CodingError, match="indices below 5"):
        rebuild_shard(REPAIR, have, 3, 5, 5)
    with pytest.raises(CodingError, match="bytes"):
        rebuild_shard(REPAIR, {0: have[0], 1: have[1], 2: have[2][:-1]}, 3, 5, 4)
    assert native_mode
