"""A tree that grows: the same root as BLAKE3's, however the content came and was stored between."""

import pytest
from blake3 import blake3
from cybervein_protocol.tree import CHUNK, GrowingTree
from hypothesis import given, settings
from hypothesis import strategies as st

PERIOD = bytes(range(251))


def content(size: int) -> bytes:
    return (PERIOD * (size // 251 + 1))[:size]


@pytest.mark.parametrize(
    "size", [n * CHUNK + d for n in (0, 1, 2, 3, 4, 7, 8, 16) for d in (-1, 0, 1) if n or d >= 0]
)
def test_the_root_is_the_plain_hash_at_every_boundary(size: int) -> None:
    data = content(size)
    whole = GrowingTree().extended(data)
    assert whole.root() == blake3(data).digest()
    assert whole.size == size
    last = GrowingTree().extended(data[:-1]).extended(data[-1:])
    assert last == whole


@settings(max_examples=30)
@given(st.lists(st.integers(0, 2000), max_size=12))
def test_pieces_do_not_matter(pieces: list[int]) -> None:
    data = content(sum(pieces))
    tree, at = GrowingTree(), 0
    for piece in pieces:
        tree = GrowingTree(*(tree.size, tree.stack, tree.rest)).extended(data[at : at + piece])
        at += piece
        assert tree.root() == blake3(data[:at]).digest()
    assert tree == GrowingTree().extended(data)


@given(st.integers(1, 40))
def test_what_is_kept_is_a_value_for_each_bit_and_the_last_chunk(chunks: int) -> None:
    tree = GrowingTree().extended(bytes(chunks * CHUNK))
    assert len(tree.rest) == CHUNK
    assert len(tree.stack) == (chunks - 1).bit_count()
