"""The root and the outboard of a stream of bytes.

The outboard keeps the parents above the 16 KiB chunk groups, in order:

| offset | bytes | content |
|---|---|---|
| 64 * (g - 1) | 32 | chaining value of the subtree that ends before group g |
| 64 * (g - 1) + 32 | 32 | chaining value of the subtree that begins at group g |

for every g from 1 to the number of groups minus 1. The parent that splits the data between groups
g - 1 and g is unique (its left subtree spans the `g & -g` groups before g), so any parent is found
without a walk and nothing moves while a stream grows. Content of at most one group has no outboard.
"""

from cybervein_protocol.tree.compression import chunk_cv, parent_cv
from cybervein_protocol.tree.shape import CHUNK, GROUP, GROUP_LEVEL, PARENT


def group_levels(group: bytes, first_chunk: int) -> list[list[bytes]]:
    """Chaining values inside a group, from its chunks (level 0) up to one value (its top).

    Neighbours pair up; an odd last one is carried to the next level.
    """
    chunks = [group[i : i + CHUNK] for i in range(0, max(1, len(group)), CHUNK)]
    levels = [[chunk_cv(chunk, first_chunk + i) for i, chunk in enumerate(chunks)]]
    while len(levels[-1]) > 1:
        level = levels[-1]
        pairs = [level[i : i + 2] for i in range(0, len(level), 2)]
        levels.append([parent_cv(b"".join(p)) if len(p) == 2 else p[0] for p in pairs])  # noqa: PLR2004 -- a pair
    return levels


def _root_of_group(group: bytes) -> bytes:
    """The root of content that is one group or less."""
    if len(group) <= CHUNK:
        return chunk_cv(group, 0, root=True)
    left, right = group_levels(group, 0)[-2]
    return parent_cv(left + right, root=True)


class TreeHasher:
    """Hashes a stream once and keeps the outboard.

    Subtrees wait on a stack as (chaining value, first group) and merge when a later group shows
    that they are not the whole tree: the root's own parent is compressed with another flag.
    """

    __slots__ = ("_groups", "_outboard", "_pending", "_stack")

    def __init__(self) -> None:
        self._pending = bytearray()
        self._groups = 0
        self._stack: list[tuple[bytes, int]] = []
        self._outboard = bytearray()

    def update(self, data: bytes, /) -> None:
        """Append bytes to the stream; the last group is held back, it may be the whole tree."""
        self._pending += data
        while len(self._pending) > GROUP:
            self._push(bytes(self._pending[:GROUP]))
            del self._pending[:GROUP]

    def finalize(self) -> tuple[bytes, bytes]:
        """The 32-byte root and the outboard of everything appended."""
        if self._groups == 0:
            return _root_of_group(bytes(self._pending)), b""
        self._push(bytes(self._pending))
        while len(self._stack) > 2:  # noqa: PLR2004 -- the root's two children remain
            self._merge()
        return parent_cv(self._pop_parent()[0], root=True), bytes(self._outboard)

    def _push(self, group: bytes) -> None:
        while len(self._stack) > self._groups.bit_count():
            self._merge()
        top = group_levels(group, self._groups << GROUP_LEVEL)[-1][0]
        self._stack.append((top, self._groups))
        self._outboard += bytes(PARENT if self._groups else 0)
        self._groups += 1

    def _pop_parent(self) -> tuple[bytes, int]:
        """The parent of the two last subtrees, and the group at which it begins."""
        right, split = self._stack.pop()
        left, first = self._stack.pop()
        self._outboard[PARENT * (split - 1) : PARENT * split] = left + right
        return left + right, first

    def _merge(self) -> None:
        parent, first = self._pop_parent()
        self._stack.append((parent_cv(parent), first))
