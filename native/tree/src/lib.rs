//! The BLAKE3 tree: one primitive for every commitment of `CyberVein`.
//!
//! A commitment is the plain BLAKE3 hash of some bytes; an opening is a Bao slice of that hash's
//! own tree. Beside large data lies an *outboard*: the tree's parent nodes down to groups of 16
//! chunks (16 KiB), 1/256 of the data. Hashes inside a group are computed when a slice needs them.
//!
//! 1. [`shape`]: sizes and positions, pure arithmetic.
//! 2. [`node`]: chaining values of chunks and parents, many at once with SIMD.
//! 3. [`hasher`]: the root and outboard of a stream.
//! 4. [`extract`]: slices out of data and outboard.
//! 5. [`verify`]: the bytes inside a slice, or the reason why it proves nothing.
//!
//! The readable specification is `cybervein_protocol.tree`; both give the same bytes.

pub mod extract;
pub mod hasher;
pub mod node;
pub mod shape;
pub mod verify;

pub use extract::{ExtractError, Outboard, Source, extract};
pub use hasher::{TreeHasher, reader_root_and_outboard, root_and_outboard};
pub use shape::{CHUNK, GROUP, outboard_size, slice_size};
pub use verify::{SliceError, verify};
