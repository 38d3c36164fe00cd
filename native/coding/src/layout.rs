//! Chunks, stripes and leaves of a segment; the tables are in `cybervein_protocol.coding.layout`.

use std::ops::Range;

use crate::error::CodingError;

/// Plaintext bytes of a full chunk.
pub const CHUNK_PLAIN: usize = 65_520;
/// Bytes of a chunk's tag.
pub const TAG: usize = 16;
/// Bytes of a full sealed chunk, which is one stripe.
pub const STRIPE: usize = CHUNK_PLAIN + TAG;
/// Chunks of a full segment.
pub const SEGMENT_CHUNKS: usize = 256;
/// Plaintext bytes of a full segment.
pub const SEGMENT_PLAIN: usize = CHUNK_PLAIN * SEGMENT_CHUNKS;

/// The shape of one segment: `size` plaintext bytes over k data shards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    size: usize,
    k: usize,
}

impl Shape {
    /// The shape of a segment of `size` plaintext bytes.
    ///
    /// # Errors
    /// Above a full segment, and below one that is not the file's last.
    pub fn new(size: u64, k: usize, last: bool) -> Result<Self, CodingError> {
        let expected = SEGMENT_PLAIN as u64;
        match usize::try_from(size) {
            Ok(size) if size <= SEGMENT_PLAIN && (last || size == SEGMENT_PLAIN) => {
                Ok(Self { size, k })
            }
            Ok(size) if size < SEGMENT_PLAIN => Err(CodingError::NotFull {
                expected,
                actual: size as u64,
            }),
            _ => Err(CodingError::TooLong {
                expected,
                actual: size,
            }),
        }
    }

    /// Chunks of the segment: an empty one has one, of 0 bytes.
    #[must_use]
    pub fn chunks(&self) -> usize {
        self.size.div_ceil(CHUNK_PLAIN).max(1)
    }

    /// Where the chunk's plaintext lies in the segment's.
    #[must_use]
    pub fn plain(&self, chunk: usize) -> Range<usize> {
        let start = (chunk * CHUNK_PLAIN).min(self.size);
        start..(start + CHUNK_PLAIN).min(self.size)
    }

    /// Where the chunks' plaintext lies in the segment's.
    #[must_use]
    pub fn plain_of(&self, chunks: &Range<usize>) -> Range<usize> {
        (chunks.start * CHUNK_PLAIN).min(self.size)..(chunks.end * CHUNK_PLAIN).min(self.size)
    }

    /// Where the chunk's leaf lies in every shard.
    #[must_use]
    pub fn leaf(&self, chunk: usize) -> Range<usize> {
        let start = chunk * STRIPE.div_ceil(self.k);
        start..start + (self.plain(chunk).len() + TAG).div_ceil(self.k)
    }

    /// Where the chunks' leaves lie in every shard.
    #[must_use]
    pub fn leaves(&self, chunks: &Range<usize>) -> Range<usize> {
        self.leaf(chunks.start).start..self.leaf(chunks.end - 1).end
    }

    /// Bytes of every shard.
    #[must_use]
    pub fn shard_size(&self) -> usize {
        self.leaf(self.chunks() - 1).end
    }
}
