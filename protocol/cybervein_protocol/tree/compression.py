"""BLAKE3's compression function and the tree's nodes, to be read beside the BLAKE3 paper.

Libraries give the root of a whole input only; the tree needs the chaining value of every node, so
this is written out. It is the specification and the fallback, checked against the `blake3` package
and the official test vectors; the native code does the work. Sections are those of the paper
"BLAKE3: one function, fast everywhere" (2021).
"""

from struct import pack, unpack

IV = (
    0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19,
)  # fmt: skip
"""Table 1: the constants of SHA-256."""

PERMUTATION = (2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)
"""Table 2: how the message words move between rounds."""

ROUNDS = 7
BLOCK = 64
MASK = 0xFFFFFFFF

CHUNK_START = 1
CHUNK_END = 2
PARENT_FLAG = 4
ROOT = 8

_LANES = (
    (0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
    (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14),
)  # fmt: skip
"""Section 2.2: the four columns, then the four diagonals."""


def _rotate(word: int, bits: int) -> int:
    return (word >> bits | word << (32 - bits)) & MASK


def _mix(v: list[int], lane: tuple[int, int, int, int], x: int, y: int) -> None:
    """The quarter round G of section 2.2, on four of the sixteen state words."""
    a, b, c, d = lane
    v[a] = (v[a] + v[b] + x) & MASK
    v[d] = _rotate(v[d] ^ v[a], 16)
    v[c] = (v[c] + v[d]) & MASK
    v[b] = _rotate(v[b] ^ v[c], 12)
    v[a] = (v[a] + v[b] + y) & MASK
    v[d] = _rotate(v[d] ^ v[a], 8)
    v[c] = (v[c] + v[d]) & MASK
    v[b] = _rotate(v[b] ^ v[c], 7)


def compress(cv: bytes, block: bytes, counter: int, flags: int) -> bytes:
    """Section 2.2: the 32-byte chaining value after one block of at most 64 bytes."""
    m = list(unpack("<16I", block.ljust(BLOCK, b"\0")))
    low, high = counter & MASK, counter >> 32
    v = [*unpack("<8I", cv), *IV[:4], low, high, len(block), flags]
    for _ in range(ROUNDS):
        for i, lane in enumerate(_LANES):
            _mix(v, lane, m[2 * i], m[2 * i + 1])
        m = [m[i] for i in PERMUTATION]
    return pack("<8I", *(v[i] ^ v[i + 8] for i in range(8)))


def chunk_cv(chunk: bytes, index: int, *, root: bool = False) -> bytes:
    """Section 2.4: the chaining value of chunk number `index` (at most 1,024 bytes)."""
    cv = pack("<8I", *IV)
    starts = range(0, max(1, len(chunk)), BLOCK)
    for start in starts:
        flags = CHUNK_START * (start == 0)
        if start == starts[-1]:
            flags |= CHUNK_END | ROOT * root
        cv = compress(cv, chunk[start : start + BLOCK], index, flags)
    return cv


def parent_cv(parent: bytes, *, root: bool = False) -> bytes:
    """Section 2.5: the chaining value of a parent, given as left ‖ right (64 bytes)."""
    return compress(pack("<8I", *IV), parent, 0, PARENT_FLAG | ROOT * root)
