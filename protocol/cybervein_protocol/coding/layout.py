"""Where every byte of a file lies, and which leaves a range of it needs: arithmetic only.

| unit | plaintext | stored |
|---|---|---|
| file | any | segments of 256 chunks each; only the last may be shorter |
| segment | up to 16,773,120 bytes | n shards of equal length |
| chunk | up to 65,520 bytes | plaintext, then a 16-byte tag: one stripe, up to 65,536 bytes |
| stripe | | k data leaves and n - k parity leaves of ceil(stripe / k) bytes each |
| shard j | | leaf j of every stripe of the segment, one after the other |

The last data leaf of a stripe is padded with zeros where k does not divide it. All chunks are full
but the file's last one, whose stripe is as short as its bytes: small files are small. A file of 0
bytes is one segment with one chunk of 0 bytes, which is its tag.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from cybervein_protocol.coding.errors import CodingError
from cybervein_protocol.coding.reed_solomon import SHARES_MAX

CHUNK_PLAIN = 65_520
"""Plaintext bytes of a full chunk."""

TAG = 16
"""Bytes of a chunk's tag."""

STRIPE = CHUNK_PLAIN + TAG
"""Bytes of a full sealed chunk: 64 KiB."""

SEGMENT_CHUNKS = 256
"""Chunks of a full segment."""

SEGMENT_PLAIN = SEGMENT_CHUNKS * CHUNK_PLAIN
"""Plaintext bytes of a full segment: 16,773,120."""


@dataclass(frozen=True, slots=True)
class SegmentShape:
    """One segment: `size` plaintext bytes, code k of n, and whether it is the file's last.

    Raises CodingError for a segment that is too long, short without being the last, or whose k and
    n are no code.
    """

    size: int
    k: int
    n: int
    last: bool

    def __post_init__(self) -> None:
        if not 1 <= self.k <= self.n <= SHARES_MAX:
            raise CodingError(f"code {self.k}/{self.n}: expected 1 <= k <= n <= {SHARES_MAX}")
        if not 0 <= self.size <= SEGMENT_PLAIN:
            raise CodingError(f"segment of {self.size} bytes, at most {SEGMENT_PLAIN} expected")
        if not self.last and self.size != SEGMENT_PLAIN:
            raise CodingError(
                f"segment of {self.size} bytes, {SEGMENT_PLAIN} expected: only a file's last "
                "may be short"
            )

    @property
    def chunks(self) -> int:
        """Chunks of the segment, at least one."""
        return max(1, -(-self.size // CHUNK_PLAIN))

    @property
    def shard_size(self) -> int:
        """Bytes of every shard."""
        return self.leaf_range(self.chunks - 1)[1]

    def plain_range(self, first: int, stop: int) -> tuple[int, int]:
        """Where the plaintext of chunks `[first, stop)` lies in the segment's."""
        return min(first * CHUNK_PLAIN, self.size), min(stop * CHUNK_PLAIN, self.size)

    def leaf_range(self, chunk: int) -> tuple[int, int]:
        """Where the chunk's leaf lies in every shard."""
        start, stop = self.plain_range(chunk, chunk + 1)
        begin = chunk * -(-STRIPE // self.k)
        return begin, begin + -(-(stop - start + TAG) // self.k)

    def leaves(self, first: int, stop: int) -> tuple[int, int]:
        """Where the leaves of chunks `[first, stop)` lie in every shard: one run of bytes."""
        return self.leaf_range(first)[0], self.leaf_range(stop - 1)[1]

    def ends_file(self, chunk: int) -> bool:
        """Whether the file ends with this chunk."""
        return self.last and chunk == self.chunks - 1


@dataclass(frozen=True, slots=True)
class SegmentStripes:
    """What a range needs of one segment.

    `chunks` are the chunks to decode, `leaves` the byte range to fetch of any k shards, and
    `keep` the part of the decoded plaintext that belongs to the range.
    """

    segment: int
    chunks: tuple[int, int]
    leaves: tuple[int, int]
    keep: tuple[int, int]


def segment_count(file_size: int) -> int:
    """Segments of a file, at least one."""
    return max(1, -(-file_size // SEGMENT_PLAIN))


def segment_shape(file_size: int, segment: int, k: int, n: int) -> SegmentShape:
    """The shape of segment number `segment` of a file.

    Raises:
        CodingError: the file has no such segment.
    """
    count = segment_count(file_size)
    if not 0 <= segment < count:
        raise CodingError(f"segment {segment}: the file of {file_size} bytes has {count}")
    size = min(SEGMENT_PLAIN, file_size - segment * SEGMENT_PLAIN)
    return SegmentShape(size, k, n, last=segment == count - 1)


def stripes_for_range(
    file_size: int, start: int, stop: int, k: int, n: int
) -> Iterator[SegmentStripes]:
    """What the plaintext range `[start, stop)` of a file needs, segment by segment.

    The range is cut at the file's end; an empty one needs nothing.
    """
    start, stop = max(start, 0), min(stop, file_size)
    if start >= stop:
        return
    for segment in range(start // SEGMENT_PLAIN, (stop - 1) // SEGMENT_PLAIN + 1):
        shape = segment_shape(file_size, segment, k, n)
        base = segment * SEGMENT_PLAIN
        low, high = max(start - base, 0), min(stop - base, shape.size)
        first, end = low // CHUNK_PLAIN, (high - 1) // CHUNK_PLAIN + 1
        keep = (low - first * CHUNK_PLAIN, high - first * CHUNK_PLAIN)
        yield SegmentStripes(segment, (first, end), shape.leaves(first, end), keep)
