//! Sizes and positions in the tree of `size` bytes, as pure arithmetic.
//!
//! Level 0 are the chunks. Node `i` of level `j` spans chunks `[i << j, (i + 1) << j)`, cut at the
//! last chunk; a node whose right half would be empty is its left half. This is BLAKE3's tree,
//! read bottom-up.

use std::ops::Range;

/// Bytes of a BLAKE3 chunk, the tree's leaf.
pub const CHUNK: usize = 1024;
/// Level of a chunk group: `1 << GROUP_LEVEL` chunks.
pub const GROUP_LEVEL: u32 = 4;
/// Bytes of a chunk group, the outboard's leaf.
pub const GROUP: usize = CHUNK << GROUP_LEVEL;
/// Bytes of a parent node: the left and the right chaining value.
pub const PARENT: usize = 64;
/// Bytes of a slice's length header (u64, little-endian).
pub const HEADER: usize = 8;

/// Chunks of `size` bytes; the empty input has one empty chunk.
#[must_use]
pub const fn chunk_count(size: u64) -> u64 {
    if size == 0 {
        1
    } else {
        size.div_ceil(CHUNK as u64)
    }
}

/// Bytes of the outboard of `size` bytes: one parent between every two neighbouring groups.
#[must_use]
pub const fn outboard_size(size: u64) -> u64 {
    if size == 0 {
        0
    } else {
        (size.div_ceil(GROUP as u64) - 1) * PARENT as u64
    }
}

/// Level of the root over `chunks` chunks.
#[must_use]
pub const fn root_level(chunks: u64) -> u32 {
    u64::BITS - (chunks - 1).leading_zeros()
}

/// The chunks that a slice of `[start, start + length)` carries.
///
/// As in the `bao` crate: length 0 counts as 1, and a start at or past the end takes the last
/// chunk, whose presence proves the size.
#[must_use]
pub fn slice_chunks(size: u64, start: u64, length: u64) -> Range<u64> {
    let last = chunk_count(size) - 1;
    let end = start.saturating_add(length.max(1));
    let first = (start / CHUNK as u64).min(last);
    first..((end - 1) / CHUNK as u64).min(last) + 1
}

/// Bytes of the content that fall into `[start, start + length)`.
#[must_use]
pub fn content_range(size: u64, start: u64, length: u64) -> Range<u64> {
    start.min(size)..start.saturating_add(length).min(size)
}

/// Bytes that the chunks of a range hold.
#[must_use]
pub fn chunk_bytes(size: u64, chunks: &Range<u64>) -> Range<u64> {
    let last = chunks.end.saturating_mul(CHUNK as u64);
    chunks.start * CHUNK as u64..last.min(size)
}

/// Exact bytes of the slice of `[start, start + length)`: header, parents, chunks.
///
/// On each level the parents over the chunks are a run; only the run's last node can lack a right
/// half, and then it is no node of its own.
#[must_use]
pub fn slice_size(size: u64, start: u64, length: u64) -> u64 {
    let total = chunk_count(size);
    let chunks = slice_chunks(size, start, length);
    let mut parents = 0;
    for level in 1..=root_level(total) {
        let (first, last) = (chunks.start >> level, (chunks.end - 1) >> level);
        let right = (2 * last + 1) << (level - 1);
        parents += last - first + u64::from(right < total);
    }
    let bytes = chunk_bytes(size, &chunks);
    HEADER as u64 + parents * PARENT as u64 + (bytes.end - bytes.start)
}
