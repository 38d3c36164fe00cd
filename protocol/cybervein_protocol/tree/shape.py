"""Sizes and positions in the tree of `size` bytes, as arithmetic.

Level 0 are the chunks. Node `i` of level `j` spans chunks `[i << j, (i + 1) << j)`, cut at the last
chunk; a node whose right half would be empty *is* its left half. This is BLAKE3's tree (its left
subtrees are whole powers of two) read from the bottom.
"""

CHUNK = 1024
"""Bytes of a BLAKE3 chunk, the tree's leaf."""

GROUP_LEVEL = 4
"""Level of a chunk group: 2**4 chunks."""

GROUP = CHUNK << GROUP_LEVEL
"""Bytes of a chunk group (16 KiB), the outboard's leaf."""

PARENT = 64
"""Bytes of a parent: left and right chaining value."""

HEADER = 8
"""Bytes of a slice's header: the content's size, little-endian."""

SIZE_MAX = 2**64 - 1
"""Largest content in bytes: the header's limit."""


def chunk_count(size: int) -> int:
    """Chunks of `size` bytes; the empty content has one empty chunk."""
    return max(1, -(-size // CHUNK))


def outboard_size(size: int) -> int:
    """Bytes of the outboard: one parent between every two neighbouring groups."""
    return max(0, -(-size // GROUP) - 1) * PARENT


def root_level(chunks: int) -> int:
    """Level of the root over `chunks` chunks."""
    return (chunks - 1).bit_length()


def slice_chunks(size: int, start: int, length: int) -> tuple[int, int]:
    """First chunk, and the one after the last, that a slice of `[start, start + length)` carries.

    As in the `bao` crate: length 0 counts as 1, and a start at or past the end takes the last
    chunk, whose presence proves the size.
    """
    last = chunk_count(size) - 1
    end = start + max(length, 1)
    return min(start // CHUNK, last), min((end - 1) // CHUNK, last) + 1


def slice_window(size: int, start: int, length: int) -> tuple[int, int]:
    """Byte range of the whole groups that a slice touches: what making the slice must read."""
    first, end = slice_chunks(size, start, length)
    begin = first >> GROUP_LEVEL
    groups = -(-end // (1 << GROUP_LEVEL))
    return begin * GROUP, min(groups * GROUP, size)


def size_of_slice(size: int, start: int, length: int) -> int:
    """Exact bytes of a slice: header, parents, chunks. A border can refuse more before reading.

    On each level the parents over the chunks are a run; only the run's last node can lack a right
    half, and then it is no node of its own.
    """
    total = chunk_count(size)
    first, end = slice_chunks(size, start, length)
    parents = 0
    for level in range(1, root_level(total) + 1):
        low, high = first >> level, (end - 1) >> level
        has_right = (2 * high + 1) << (level - 1) < total
        parents += high - low + has_right
    return HEADER + PARENT * parents + min(end * CHUNK, size) - first * CHUNK
