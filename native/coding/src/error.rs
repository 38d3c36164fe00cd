//! What the coding functions refuse.

use std::fmt;

/// Why something could not be encoded or decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CodingError {
    /// k and n are not a code.
    Code {
        /// Shards needed.
        k: usize,
        /// Shards made.
        n: usize,
    },
    /// Fewer than k shares.
    TooFew {
        /// Shares needed.
        expected: usize,
        /// Shares given.
        actual: usize,
    },
    /// An index that the code does not have, or has been given twice.
    Index {
        /// The index.
        index: usize,
        /// Shards of the code.
        n: usize,
    },
    /// A share of another length than the rest or the layout has.
    Length {
        /// What it is a length of.
        what: &'static str,
        /// Bytes expected.
        expected: u64,
        /// Bytes given.
        actual: u64,
    },
    /// A segment that is not the file's last must be full.
    NotFull {
        /// Plaintext bytes of a full segment.
        expected: u64,
        /// Plaintext bytes given.
        actual: u64,
    },
    /// A segment holds less than that.
    TooLong {
        /// Plaintext bytes of a full segment.
        expected: u64,
        /// Plaintext bytes given.
        actual: u64,
    },
    /// Chunks that the segment does not have.
    Range {
        /// First chunk wanted.
        first: u64,
        /// The one after the last.
        stop: u64,
        /// Chunks of the segment.
        chunks: u64,
    },
    /// A chunk whose tag does not verify: a shard is damaged or foreign, or the key is another's.
    Damaged {
        /// The chunk's index in the segment.
        chunk: u64,
    },
}

impl fmt::Display for CodingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code { k, n } => write!(f, "code {k}/{n}: expected 1 <= k <= n <= 256"),
            Self::TooFew { expected, actual } => {
                write!(f, "{actual} shares given, {expected} needed: fetch more")
            }
            Self::Index { index, n } => {
                write!(
                    f,
                    "share index {index}: expected distinct indices below {n}"
                )
            }
            Self::Length {
                what,
                expected,
                actual,
            } => {
                write!(f, "{what} has {actual} bytes, expected {expected}")
            }
            Self::NotFull { expected, actual } => {
                write!(
                    f,
                    "segment has {actual} plaintext bytes, expected {expected}: only a file's last may be short"
                )
            }
            Self::TooLong { expected, actual } => {
                write!(
                    f,
                    "segment has {actual} plaintext bytes, at most {expected} expected"
                )
            }
            Self::Range {
                first,
                stop,
                chunks,
            } => {
                write!(
                    f,
                    "chunks {first} to {stop}: expected a non-empty range within {chunks} chunks"
                )
            }
            Self::Damaged { chunk } => {
                write!(
                    f,
                    "chunk {chunk} does not verify: a shard is damaged, or the key is not this file's"
                )
            }
        }
    }
}

impl std::error::Error for CodingError {}
