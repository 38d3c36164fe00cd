"""Bao slices: extraction and verification, byte-compatible with the `bao` crate (0.13).

A slice is what a verifier with nothing but the root needs to check a range of the content:

| part | bytes | content |
|---|---|---|
| header | 8 | size of the content, little-endian |
| nodes | 64 each | parents in pre-order that have a wanted chunk below them: left ‖ right |
| chunks | at most 1,024 each | the wanted chunks, each at its place in the pre-order |

Wanted are the chunks that overlap the range. As the `bao` crate has it, an empty range counts as
one byte, and a range that begins at or past the end takes the last chunk, which proves the size.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cybervein_protocol.errors import ProofError, StorageError
from cybervein_protocol.tree.compression import chunk_cv, parent_cv
from cybervein_protocol.tree.hasher import group_levels
from cybervein_protocol.tree.shape import (
    CHUNK,
    GROUP,
    GROUP_LEVEL,
    HEADER,
    PARENT,
    SIZE_MAX,
    chunk_count,
    outboard_size,
    root_level,
    slice_chunks,
)


class SliceError(ProofError):
    """A slice that proves nothing: truncated, overlong, of another size, or of another root."""


class OutboardError(StorageError):
    """An outboard that is not of data of this size."""


def bounded_range(start: int, length: int) -> tuple[int, int]:
    """The range, cut at the largest size there is. Raises SliceError for a negative one."""
    if start < 0 or length < 0:
        raise SliceError(f"range {start}+{length}: expected a start and a length of 0 or more")
    return min(start, SIZE_MAX), min(length, SIZE_MAX)


@dataclass(frozen=True, slots=True)
class Node:
    """A place in the tree: chunks `[index << level, (index + 1) << level)`."""

    level: int
    index: int

    def children(self) -> "tuple[Node, Node]":
        """The left and the right half."""
        return Node(self.level - 1, 2 * self.index), Node(self.level - 1, 2 * self.index + 1)

    def first_chunk(self) -> int:
        """The first chunk below this node."""
        return self.index << self.level


def pre_order(node: Node, total: int, first: int, end: int) -> Iterator[Node]:
    """The nodes of a tree of `total` chunks above any chunk in `[first, end)`, roots first."""
    if (node.index + 1) << node.level <= first or node.first_chunk() >= end:
        return
    if node.level == 0:
        yield node
        return
    left, right = node.children()
    has_right = right.first_chunk() < total
    if has_right:
        yield node
    yield from pre_order(left, total, first, end)
    if has_right:
        yield from pre_order(right, total, first, end)


def slice_of(
    read_at: Callable[[int, int], bytes], size: int, outboard: bytes, start: int, length: int
) -> bytes:
    """See `cybervein_protocol.tree.slice_of`; here `read_at` is called once per group."""
    if len(outboard) != outboard_size(size):
        raise OutboardError(
            f"outboard has {len(outboard)} bytes, expected {outboard_size(size)}: "
            "rebuild it from the data"
        )
    total = chunk_count(size)
    out = bytearray(size.to_bytes(HEADER, "little"))
    present, group, levels = -1, b"", [[b""]]
    for node in pre_order(Node(root_level(total), 0), total, *slice_chunks(size, start, length)):
        if node.level > GROUP_LEVEL:
            split = node.children()[1].first_chunk() >> GROUP_LEVEL
            out += outboard[PARENT * (split - 1) : PARENT * split]
            continue
        number = node.first_chunk() >> GROUP_LEVEL
        if number != present:
            group = read_at(number * GROUP, min(GROUP, size - number * GROUP))
            present, levels = number, group_levels(group, number << GROUP_LEVEL)
        out += _inside_group(node, group, levels)
    return bytes(out)


def _inside_group(node: Node, group: bytes, levels: list[list[bytes]]) -> bytes:
    """A chunk's bytes, or a parent's two chaining values."""
    index = node.index % (1 << (GROUP_LEVEL - node.level))
    if node.level == 0:
        return group[CHUNK * index : CHUNK * (index + 1)]
    return b"".join(levels[node.level - 1][2 * index : 2 * index + 2])


def verify_slice(
    data: bytes, root: bytes, start: int, length: int, size: int | None = None
) -> bytes:
    """See `cybervein_protocol.tree.verify_slice`. Every node is hashed, the root included."""
    claimed = _header(data, size)
    total = chunk_count(claimed)
    first, end = slice_chunks(claimed, start, length)
    expected, position, content = [root], HEADER, bytearray()
    for node in pre_order(Node(root_level(total), 0), total, first, end):
        is_root = position == HEADER
        width = PARENT if node.level else min(CHUNK, claimed - CHUNK * node.index)
        part = _take(data, position, width)
        _check(node, part, position, expected.pop(), is_root=is_root)
        position += width
        if node.level == 0:
            content += part
            continue
        middle = node.children()[1].first_chunk()
        expected += [part[32:]] * (middle < end) + [part[:32]] * (middle > first)
    if position != len(data):
        raise SliceError(f"slice has trailing bytes: {len(data)} bytes, {position} expected")
    skipped = max(0, start - first * CHUNK)
    return bytes(content[skipped : max(skipped, start + length - first * CHUNK)])


def _header(data: bytes, size: int | None) -> int:
    claimed = int.from_bytes(_take(data, 0, HEADER), "little")
    if size is not None and claimed != size:
        raise SliceError(f"slice is of content of {claimed} bytes, expected {size} bytes")
    return claimed


def _take(data: bytes, position: int, width: int) -> bytes:
    if len(data) < position + width:
        raise SliceError(
            f"slice is truncated: {len(data)} bytes, at least {position + width} expected"
        )
    return data[position : position + width]


def _check(node: Node, part: bytes, position: int, expected: bytes, *, is_root: bool) -> None:
    if node.level == 0:
        if chunk_cv(part, node.index, root=is_root) != expected:
            raise SliceError(
                f"slice does not match its root: chunk {node.index} hashes to something else"
            )
    elif parent_cv(part, root=is_root) != expected:
        raise SliceError(
            f"slice does not match its root: parent at byte {position} of the slice "
            "hashes to something else"
        )
