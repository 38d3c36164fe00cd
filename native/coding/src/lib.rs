//! Erasure coding and the segment pipeline: what turns plaintext into shards and back.
//!
//! 1. [`field`]: GF(2^8) with the polynomial 0x11d, as tables.
//! 2. [`code`]: the systematic Reed-Solomon code of the `zfec` package, k of n.
//! 3. [`kernel`]: the one hot loop, a weighted sum of byte strings, once per instruction set.
//! 4. [`layout`]: chunks, stripes and leaves of a segment.
//! 5. [`cipher`]: keys, AES-256-GCM of chunks, AES-256-CTR masks of shards.
//! 6. [`segment`]: encode, decode, rebuild.
//!
//! The readable specification is `cybervein_protocol.coding`; both give the same bytes.

pub mod cipher;
pub mod code;
mod error;
pub mod field;
pub mod kernel;
pub mod layout;
pub mod segment;

pub use code::Code;
pub use error::CodingError;
pub use kernel::Path;
pub use layout::Shape;
