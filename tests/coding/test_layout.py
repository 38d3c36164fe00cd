"""Leaves tile every shard, and a range asks for exactly the chunks that hold it."""

import pytest
from cybervein_protocol.coding import (
    CHUNK_PLAIN,
    SEGMENT_PLAIN,
    STRIPE,
    CodingError,
    SegmentShape,
    segment_count,
    segment_shape,
    stripes_for_range,
)
from hypothesis import example, given
from hypothesis import strategies as st

CODES = st.tuples(st.integers(1, 30), st.integers(0, 30)).map(lambda kn: (kn[0], kn[0] + kn[1]))
EDGES = [e + s for e in (CHUNK_PLAIN, SEGMENT_PLAIN, 2 * SEGMENT_PLAIN) for s in (-1, 0, 1)]
SIZES = st.sampled_from([0, 1, *EDGES]) | st.integers(0, 3 * SEGMENT_PLAIN)


@given(size=st.sampled_from([0, 1, *EDGES[:4]]) | st.integers(0, SEGMENT_PLAIN), code=CODES)
def test_leaves_tile_the_shard_and_chunks_tile_the_plaintext(
    size: int, code: tuple[int, int]
) -> None:
    shape = SegmentShape(size, *code, last=True)
    leaf_end = plain_end = 0
    for chunk in range(shape.chunks):
        low, high = shape.leaf_range(chunk)
        start, stop = shape.plain_range(chunk, chunk + 1)
        assert (low, start) == (leaf_end, plain_end)
        assert 0 <= (high - low) * shape.k - (stop - start + 16) < shape.k
        leaf_end, plain_end = high, stop
    assert (leaf_end, plain_end) == (shape.shard_size, size)
    assert shape.leaves(0, shape.chunks) == (0, shape.shard_size)


@given(size=SIZES, code=CODES, cut=st.tuples(st.integers(0, 2**26), st.integers(0, 2**26)))
@example(size=SEGMENT_PLAIN, code=(2, 6), cut=(SEGMENT_PLAIN - 1, SEGMENT_PLAIN + 1))
@example(size=2 * SEGMENT_PLAIN, code=(2, 6), cut=(0, 2 * SEGMENT_PLAIN))
def test_a_range_asks_for_the_chunks_that_hold_it_and_no_others(
    size: int, code: tuple[int, int], cut: tuple[int, int]
) -> None:
    start, stop = cut
    at = min(start, size)
    for need in stripes_for_range(size, start, stop, *code):
        shape = segment_shape(size, need.segment, *code)
        first, end = need.chunks
        base = need.segment * SEGMENT_PLAIN + first * CHUNK_PLAIN
        low, high = need.keep
        assert base + low == at
        assert 0 <= low < CHUNK_PLAIN
        assert (end - 1 - first) * CHUNK_PLAIN < high <= (end - first) * CHUNK_PLAIN
        assert need.leaves == shape.leaves(first, end)
        at = base + high
    assert at == max(min(start, size), min(stop, size))


def test_small_files_stay_small() -> None:
    assert SegmentShape(0, 2, 6, last=True).shard_size == 8
    assert SegmentShape(0, 3, 5, last=True).shard_size == 6
    assert SegmentShape(1000, 4, 12, last=True).shard_size == 254
    assert SegmentShape(CHUNK_PLAIN, 2, 6, last=True).shard_size == STRIPE // 2
    assert SegmentShape(SEGMENT_PLAIN, 2, 6, last=False).shard_size == 256 * STRIPE // 2


def test_every_segment_but_the_last_is_full() -> None:
    size = 2 * SEGMENT_PLAIN + 5
    shapes = [segment_shape(size, i, 2, 6) for i in range(segment_count(size))]
    assert [(s.size, s.last) for s in shapes] == [
        (SEGMENT_PLAIN, False),
        (SEGMENT_PLAIN, False),
        (5, True),
    ]
    assert segment_shape(SEGMENT_PLAIN, 0, 2, 6).last
    assert (segment_count(0), segment_shape(0, 0, 2, 6).size) == (1, 0)


@pytest.mark.parametrize(
    ("size", "k", "n", "last", "reason"),
    [
        (SEGMENT_PLAIN + 1, 2, 6, True, "at most 16773120"),
        (-1, 2, 6, True, "at most 16773120"),
        (SEGMENT_PLAIN - 1, 2, 6, False, "only a file's last"),
        (1, 0, 6, True, "1 <= k <= n <= 256"),
        (1, 7, 6, True, "1 <= k <= n <= 256"),
    ],
)
def test_shapes_that_cannot_be_are_refused(
    *, size: int, k: int, n: int, last: bool, reason: str
) -> None:
    with pytest.raises(CodingError, match=reason):
        SegmentShape(size, k, n, last=last)


def test_a_segment_that_the_file_does_not_have_is_refused() -> None:
    with pytest.raises(CodingError, match="segment 1: the file of 5 bytes has 1"):
        segment_shape(5, 1, 2, 6)
