//! Seeds and lane keys.

use crate::shape::{DIGEST_BYTES, LANES, Row, Shape};

/// A BLAKE3 digest.
pub type Digest = [u8; DIGEST_BYTES];

/// mu of a plot.
#[must_use]
pub fn plot_seed(public_key: &Digest, index: u64, shape: Shape) -> Digest {
    blake3::Hasher::new_derive_key("cybervein 2026-11 plot seed")
        .update(public_key)
        .update(&index.to_le_bytes())
        .update(&[shape.b, shape.k])
        .finalize()
        .into()
}

/// The 16 lane keys, word-sliced.
#[must_use]
pub fn lane_keys(mu: &Digest) -> Row {
    let mut keys = Row::ZERO;
    for lane in 0..LANES {
        let key = blake3::Hasher::new_derive_key("cybervein 2026-11 lane key")
            .update(mu)
            .update(&[u8::try_from(lane).expect("a lane fits a byte")])
            .finalize();
        keys.set_lane(lane, key.as_bytes());
    }
    keys
}
