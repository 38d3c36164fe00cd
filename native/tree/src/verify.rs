//! The bytes a slice proves, or the reason why it proves nothing.
//!
//! A slice names every node's expected chaining value before the node itself, so all nodes can be
//! checked independently: parsing collects them, then SIMD hashes sixteen at a time.

use std::fmt;
use std::ops::Range;

use crate::node::{Cv, chunk_cvs, parent_cvs, parent_root, subtree_cv};
use crate::shape::{
    CHUNK, HEADER, PARENT, chunk_bytes, chunk_count, content_range, root_level, slice_chunks,
};

/// Why a slice proves nothing.
#[derive(Debug, PartialEq, Eq)]
pub enum SliceError {
    /// The slice ends early.
    Truncated {
        /// Bytes that the next part needs the slice to have.
        expected: u64,
        /// Bytes that it has.
        actual: u64,
    },
    /// Bytes follow the last chunk.
    Trailing {
        /// Bytes of the slice itself.
        expected: u64,
        /// Bytes that were given.
        actual: u64,
    },
    /// The length header is not the size the verifier knows.
    Size {
        /// Bytes of the content.
        expected: u64,
        /// Bytes that the header claims.
        actual: u64,
    },
    /// A parent does not hash to what its own parent (or the root) says.
    Parent {
        /// The parent's place in the slice.
        offset: u64,
    },
    /// A chunk does not hash to what its parent (or the root) says.
    Chunk {
        /// The chunk's index in the content.
        index: u64,
    },
}

impl fmt::Display for SliceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated { expected, actual } => {
                write!(
                    f,
                    "slice is truncated: {actual} bytes, at least {expected} expected"
                )
            }
            Self::Trailing { expected, actual } => {
                write!(
                    f,
                    "slice has trailing bytes: {actual} bytes, {expected} expected"
                )
            }
            Self::Size { expected, actual } => {
                write!(
                    f,
                    "slice is of content of {actual} bytes, expected {expected} bytes"
                )
            }
            Self::Parent { offset } => {
                write!(
                    f,
                    "slice does not match its root: parent at byte {offset} of the slice hashes to something else"
                )
            }
            Self::Chunk { index } => {
                write!(
                    f,
                    "slice does not match its root: chunk {index} hashes to something else"
                )
            }
        }
    }
}

/// Content bytes `[start, start + length)`, cut at the end of the content.
///
/// `size`, where known, must be the header's; without it the header's claim is believed as far as
/// the tree's shape confirms it, as in the `bao` crate.
///
/// # Errors
/// The first thing that is wrong, in the order of the slice, sizes before hashes.
pub fn verify(
    slice: &[u8],
    root: &Cv,
    start: u64,
    length: u64,
    size: Option<u64>,
) -> Result<Vec<u8>, SliceError> {
    let parsed = Parsed::new(slice, start, length, size)?;
    parsed.check(root)?;
    Ok(parsed.content(start, length))
}

/// A parent as it lies in the slice; `expected` is None for the root.
struct Parent<'a> {
    offset: usize,
    bytes: &'a [u8; PARENT],
    expected: Option<&'a Cv>,
}

struct Parsed<'a> {
    slice: &'a [u8],
    position: usize,
    size: u64,
    total: u64,
    chunks: Range<u64>,
    parents: Vec<Parent<'a>>,
    leaves: Vec<(&'a [u8], Option<&'a Cv>)>,
}

impl<'a> Parsed<'a> {
    fn new(
        slice: &'a [u8],
        start: u64,
        length: u64,
        size: Option<u64>,
    ) -> Result<Self, SliceError> {
        let header = slice.first_chunk::<HEADER>().ok_or(SliceError::Truncated {
            expected: HEADER as u64,
            actual: slice.len() as u64,
        })?;
        let actual = u64::from_le_bytes(*header);
        if let Some(expected) = size
            && expected != actual
        {
            return Err(SliceError::Size { expected, actual });
        }
        let (total, chunks) = (chunk_count(actual), slice_chunks(actual, start, length));
        let mut parsed = Self {
            slice,
            position: HEADER,
            size: actual,
            total,
            chunks,
            parents: Vec::new(),
            leaves: Vec::new(),
        };
        parsed.node(root_level(total), 0, None)?;
        if parsed.position != slice.len() {
            return Err(SliceError::Trailing {
                expected: parsed.position as u64,
                actual: slice.len() as u64,
            });
        }
        Ok(parsed)
    }

    fn node(&mut self, level: u32, index: u64, expected: Option<&'a Cv>) -> Result<(), SliceError> {
        // 2^64 bytes are 2^54 chunks: the shifts below cannot overflow.
        if (index + 1) << level <= self.chunks.start || index << level >= self.chunks.end {
            return Ok(());
        }
        if level == 0 {
            let range = chunk_bytes(self.size, &(index..index + 1));
            let chunk = self.take(range.end - range.start)?;
            self.leaves.push((chunk, expected));
            return Ok(());
        }
        if (2 * index + 1) << (level - 1) >= self.total {
            return self.node(level - 1, 2 * index, expected);
        }
        let offset = self.position;
        let bytes = self
            .take(PARENT as u64)?
            .first_chunk()
            .expect("taken whole");
        self.parents.push(Parent {
            offset,
            bytes,
            expected,
        });
        let (left, right) = (bytes.first_chunk(), bytes.last_chunk());
        self.node(level - 1, 2 * index, left)?;
        self.node(level - 1, 2 * index + 1, right)
    }

    fn take(&mut self, length: u64) -> Result<&'a [u8], SliceError> {
        let rest = &self.slice[self.position..];
        let taken = usize::try_from(length)
            .ok()
            .and_then(|length| rest.get(..length));
        let taken = taken.ok_or(SliceError::Truncated {
            expected: self.position as u64 + length,
            actual: self.slice.len() as u64,
        })?;
        self.position += taken.len();
        Ok(taken)
    }

    fn check(&self, root: &Cv) -> Result<(), SliceError> {
        let Some((top, below)) = self.parents.split_first() else {
            return self.check_only_chunk(root);
        };
        let (left, right) = (top.bytes.first_chunk(), top.bytes.last_chunk());
        if parent_root(left.expect("64 bytes"), right.expect("64 bytes")) != *root {
            return Err(SliceError::Parent {
                offset: top.offset as u64,
            });
        }
        check_parents(below)?;
        self.check_leaves()
    }

    fn check_only_chunk(&self, root: &Cv) -> Result<(), SliceError> {
        let matches = blake3::hash(self.leaves[0].0).as_bytes() == root;
        if matches {
            Ok(())
        } else {
            Err(SliceError::Chunk { index: 0 })
        }
    }

    fn check_leaves(&self) -> Result<(), SliceError> {
        let whole = self
            .leaves
            .iter()
            .filter(|(chunk, _)| chunk.len() == CHUNK)
            .count();
        let mut bytes = [0; 16 * CHUNK];
        let mut cvs = [0; 16 * 32];
        let mut index = self.chunks.start;
        for batch in self.leaves[..whole].chunks(16) {
            for ((chunk, _), slot) in batch.iter().zip(bytes.chunks_mut(CHUNK)) {
                slot.copy_from_slice(chunk);
            }
            chunk_cvs(&bytes[..batch.len() * CHUNK], index, &mut cvs);
            for ((_, expected), cv) in batch.iter().zip(cvs.as_chunks::<32>().0) {
                if *expected != Some(cv) {
                    return Err(SliceError::Chunk { index });
                }
                index += 1;
            }
        }
        match self.leaves.get(whole) {
            Some((chunk, expected)) if *expected != Some(&subtree_cv(chunk, index)) => {
                Err(SliceError::Chunk { index })
            }
            _ => Ok(()),
        }
    }

    fn content(&self, start: u64, length: u64) -> Vec<u8> {
        let wanted = content_range(self.size, start, length);
        let mut at = self.chunks.start * CHUNK as u64;
        let mut content =
            Vec::with_capacity(self.leaves.iter().map(|(chunk, _)| chunk.len()).sum());
        for (chunk, _) in &self.leaves {
            let end = at + chunk.len() as u64;
            let place = |to: u64| usize::try_from(to.clamp(at, end) - at).expect("within a chunk");
            content.extend_from_slice(&chunk[place(wanted.start)..place(wanted.end)]);
            at = end;
        }
        content
    }
}

fn check_parents(parents: &[Parent<'_>]) -> Result<(), SliceError> {
    let mut cvs = [0; 16 * 32];
    let mut refs = [&[0; PARENT]; 16];
    for batch in parents.chunks(16) {
        for (slot, parent) in refs.iter_mut().zip(batch) {
            *slot = parent.bytes;
        }
        parent_cvs(&refs[..batch.len()], &mut cvs);
        for (parent, cv) in batch.iter().zip(cvs.as_chunks::<32>().0) {
            if parent.expected != Some(cv) {
                return Err(SliceError::Parent {
                    offset: parent.offset as u64,
                });
            }
        }
    }
    Ok(())
}
