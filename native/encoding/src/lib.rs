//! Canonical DAG-CBOR, strictly: bytes have one meaning, and a value has one encoding.
//!
//! What other decoders leave to a second pass is refused while reading, at its byte:
//!
//! 1. integers, lengths and tags in a longer form than needed, indefinite lengths,
//! 2. map keys that are no text, come twice or out of order (shorter first, then bytewise),
//! 3. tags other than 42, links other than `CIDv1` of blake3-256 with codec `dag-cbor` or `raw`,
//! 4. floats other than 64 bits wide, NaN, infinities, simple values other than false, true, null,
//! 5. anything after the first item, or deeper than [`DEPTH_MAX`] lists and maps.
//!
//! [`decode()`] hands what it reads to a [`Builder`], so that Python objects are made without a tree
//! in between. A claimed length reserves nothing: memory grows with items that were really read.
//!
//! The readable specification is `cybervein_protocol.node`; both take and refuse the same bytes.

pub mod decode;
pub mod encode;
pub mod error;

pub use decode::{Builder, decode};
pub use encode::Encoder;
pub use error::{DecodeError, Fault};

/// Lists and maps inside each other.
pub const DEPTH_MAX: usize = 32;

/// `CIDv1`, codec, blake3, 32 bytes, and the digest.
pub const CID_BYTES: usize = 36;

/// Codecs a link may have: `raw` data and `dag-cbor` nodes.
pub const CODECS: [u8; 2] = [0x55, 0x71];

/// Whether the bytes are a CID that this project has.
#[must_use]
pub fn is_cid(bytes: &[u8]) -> bool {
    bytes.len() == CID_BYTES
        && bytes[0] == 1
        && CODECS.contains(&bytes[1])
        && bytes[2..4] == [0x1e, 32]
}
