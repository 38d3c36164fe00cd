"""A BLAKE3 hash that can be stored, and continued by whoever reads it back.

Of what was appended only this is kept (section 5.1.2 of the BLAKE3 paper):

| part | what |
|---|---|
| stack | chaining values of the whole subtrees so far, largest first |
| rest | the last 1 to 1,024 bytes: their chunk may be the root, so it waits |

So a content of any size is continued from less than 3 KiB, at the cost of what is appended.
"""

from dataclasses import dataclass

from cybervein_protocol.tree.compression import chunk_cv, parent_cv
from cybervein_protocol.tree.shape import CHUNK


@dataclass(frozen=True, slots=True)
class GrowingTree:
    """The tree of `size` bytes so far."""

    size: int = 0
    stack: tuple[bytes, ...] = ()
    rest: bytes = b""

    def extended(self, data: bytes) -> "GrowingTree":
        """The tree with `data` appended."""
        stack, rest = list(self.stack), self.rest + data
        chunks = (self.size - len(self.rest)) // CHUNK
        whole = max(0, -(-len(rest) // CHUNK) - 1)
        for i in range(whole):
            _push(stack, rest[i * CHUNK : (i + 1) * CHUNK], chunks + i)
        return GrowingTree(self.size + len(data), tuple(stack), rest[whole * CHUNK :])

    def root(self) -> bytes:
        """The plain BLAKE3 hash of everything appended."""
        if not self.stack:
            return chunk_cv(self.rest, 0, root=True)
        last = chunk_cv(self.rest, (self.size - len(self.rest)) // CHUNK)
        for left in reversed(self.stack[1:]):
            last = parent_cv(left + last)
        return parent_cv(self.stack[0] + last, root=True)


def _push(stack: list[bytes], chunk: bytes, index: int) -> None:
    """Add a chunk that others follow, merging subtrees of one size."""
    value, chunks = chunk_cv(chunk, index), index + 1
    while chunks % 2 == 0:
        value, chunks = parent_cv(stack.pop() + value), chunks // 2
    stack.append(value)
