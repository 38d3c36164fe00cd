"""Streams give one root and one outboard, however they are cut; every parent lies at its split."""

from itertools import pairwise

import pytest
from blake3 import blake3
from cybervein_protocol.tree import GROUP, PARENT, new_hasher, outboard_size, root_and_outboard
from cybervein_protocol.tree.compression import parent_cv
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

EITHER = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def content(size: int) -> bytes:
    return bytes(i % 251 for i in range(size))


@EITHER
@given(size=st.integers(0, 3 * GROUP + 2000), cuts=st.lists(st.integers(0, 3 * GROUP), max_size=6))
def test_a_stream_gives_the_same_tree_however_it_is_cut(
    native_mode: str, size: int, cuts: list[int]
) -> None:
    data, hasher = content(size), new_hasher()
    edges = sorted({0, size, *(min(cut, size) for cut in cuts)})
    for start, stop in pairwise(edges):
        hasher.update(data[start:stop])
    root, outboard = hasher.finalize()
    assert (root, outboard) == root_and_outboard(data), native_mode
    assert root == blake3(data).digest()
    assert len(outboard) == outboard_size(size)


@pytest.mark.parametrize("groups", [2, 3, 4, 5, 8, 13])
def test_a_parent_lies_at_the_group_where_it_splits(groups: int, native_mode: str) -> None:
    """A parent's left child spans the lowest set bit of its split: its value is found there."""
    _, outboard = root_and_outboard(content(groups * GROUP - 100))

    def parent(split: int) -> bytes:
        return outboard[PARENT * (split - 1) : PARENT * split]

    for split in range(2, groups, 2):
        left_split = split - (split & -split) // 2
        assert parent_cv(parent(left_split)) == parent(split)[:32], native_mode


def test_content_of_one_group_has_no_outboard(native_mode: str) -> None:
    for size in (0, 1, GROUP - 1, GROUP):
        assert root_and_outboard(content(size))[1] == b"", native_mode
    assert len(root_and_outboard(content(GROUP + 1))[1]) == PARENT
