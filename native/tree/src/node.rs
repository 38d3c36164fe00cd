//! Chaining values of the tree's nodes, many at once with the SIMD kernels of the `blake3` crate.

use std::sync::LazyLock;

use blake3::hazmat::{HasherExt, Mode, merge_subtrees_non_root, merge_subtrees_root};
use blake3::platform::Platform;
use blake3::{Hasher, IncrementCounter};

use crate::shape::{CHUNK, GROUP, GROUP_LEVEL, PARENT};

/// A chaining value or root.
pub type Cv = [u8; 32];

const IV: [u32; 8] = [
    0x6A09_E667,
    0xBB67_AE85,
    0x3C6E_F372,
    0xA54F_F53A,
    0x510E_527F,
    0x9B05_688C,
    0x1F83_D9AB,
    0x5BE0_CD19,
];
const CHUNK_START: u8 = 1;
const CHUNK_END: u8 = 2;
const PARENT_FLAG: u8 = 4;
/// Nodes handed to the kernel at once: the widest SIMD degree.
const LANES: usize = 16;

static PLATFORM: LazyLock<Platform> = LazyLock::new(Platform::detect);

/// Chaining values of whole chunks with consecutive counters, 32 bytes each into `out`.
pub fn chunk_cvs(chunks: &[u8], first: u64, out: &mut [u8]) {
    let (chunks, rest) = chunks.as_chunks::<CHUNK>();
    debug_assert!(rest.is_empty(), "whole chunks only");
    let mut counter = first;
    for (inputs, out) in chunks.chunks(LANES).zip(out.chunks_mut(LANES * 32)) {
        let mut refs = [&inputs[0]; LANES];
        for (slot, input) in refs.iter_mut().zip(inputs) {
            *slot = input;
        }
        PLATFORM.hash_many(
            &refs[..inputs.len()],
            &IV,
            counter,
            IncrementCounter::Yes,
            0,
            CHUNK_START,
            CHUNK_END,
            out,
        );
        counter += inputs.len() as u64;
    }
}

/// Chaining values of parent nodes (none of them the root), 32 bytes each into `out`.
pub fn parent_cvs(parents: &[&[u8; PARENT]], out: &mut [u8]) {
    for (inputs, out) in parents.chunks(LANES).zip(out.chunks_mut(LANES * 32)) {
        PLATFORM.hash_many(inputs, &IV, 0, IncrementCounter::No, PARENT_FLAG, 0, 0, out);
    }
}

/// One level up: the chaining values of neighbouring pairs; an odd last one is carried.
#[must_use]
pub fn level_up(cvs: &[u8]) -> Vec<u8> {
    let (pairs, odd) = cvs.as_chunks::<PARENT>();
    let mut out = vec![0; pairs.len() * 32];
    let mut refs = [&[0; PARENT]; LANES];
    for (inputs, out) in pairs.chunks(LANES).zip(out.chunks_mut(LANES * 32)) {
        for (slot, input) in refs.iter_mut().zip(inputs) {
            *slot = input;
        }
        parent_cvs(&refs[..inputs.len()], out);
    }
    out.extend_from_slice(odd);
    out
}

/// Chaining value of any subtree that is not the whole tree: one chunk or one group at most.
#[must_use]
pub fn subtree_cv(bytes: &[u8], first_chunk: u64) -> Cv {
    let mut hasher = Hasher::new();
    hasher.set_input_offset(first_chunk * CHUNK as u64);
    hasher.update(bytes).finalize_non_root()
}

/// Chaining values of whole groups, appended to `out`.
pub fn group_cvs(groups: &[u8], first_chunk: u64, out: &mut Vec<Cv>) {
    let mut counter = first_chunk;
    for batch in groups.chunks(LANES * GROUP) {
        let mut cvs = vec![0; batch.len() / CHUNK * 32];
        chunk_cvs(batch, counter, &mut cvs);
        for _ in 0..GROUP_LEVEL {
            cvs = level_up(&cvs);
        }
        out.extend_from_slice(cvs.as_chunks().0);
        counter += (batch.len() / CHUNK) as u64;
    }
}

/// Chaining value of a parent that is not the root.
#[must_use]
pub fn parent_cv(left: &Cv, right: &Cv) -> Cv {
    merge_subtrees_non_root(left, right, Mode::Hash)
}

/// The root over two subtrees.
#[must_use]
pub fn parent_root(left: &Cv, right: &Cv) -> Cv {
    *merge_subtrees_root(left, right, Mode::Hash).as_bytes()
}
