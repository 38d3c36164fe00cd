//! Answering and checking one challenge (the paper's Algorithm 3).

use crate::Error;
use crate::seed::Digest;
use crate::shape::{ROW_BYTES, Shape};

/// s and the challenged row of a plot of 2^b rows.
#[must_use]
pub fn challenge(beacon: &[u8], plot_id: &[u8], shape_b: u8) -> (Digest, u64) {
    let s: Digest = blake3::Hasher::new_derive_key("cybervein 2026-11 challenge")
        .update(beacon)
        .update(plot_id)
        .finalize()
        .into();
    let word = u64::from_le_bytes(*s.first_chunk().expect("32 bytes"));
    (s, word & ((1 << shape_b) - 1))
}

/// The quality of a row under a challenge.
#[must_use]
pub fn quality(s: &Digest, row: &[u8]) -> u64 {
    let hash = blake3::Hasher::new_derive_key("cybervein 2026-11 quality")
        .update(s)
        .update(row)
        .finalize();
    u64::from_le_bytes(*hash.as_bytes().first_chunk().expect("32 bytes"))
}

/// The quality that a slice of the challenged row under `gamma` proves.
///
/// # Errors
/// [`Error::Proof`] if the slice does not open that row of a plot of 2^b rows.
pub fn open_quality(
    beacon: &[u8],
    plot_id: &[u8],
    gamma: &Digest,
    b: u8,
    slice: &[u8],
) -> Result<u64, Error> {
    let shape = Shape::new(b, 1)?;
    let (s, row) = challenge(beacon, plot_id, b);
    let start = row * ROW_BYTES as u64;
    let data = cybervein_tree::verify(
        slice,
        gamma,
        start,
        ROW_BYTES as u64,
        Some(shape.plot_bytes()),
    )
    .map_err(|error| Error::Proof(format!("space answer, row {row}: {error}")))?;
    Ok(quality(&s, &data))
}
