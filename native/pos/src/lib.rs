//! Proof of space: plotter, replay and verifier.
//!
//! The specification is `cybervein_protocol.space`; the bytes made here are the same. A row is 16
//! labels in 16 lanes, word-sliced, so one 512-bit register holds one word of all lanes
//! ([`vector`]). [`kernel`] hashes rows with whatever register width the processor has, [`plot`]
//! runs it over the graph, [`create`] writes a plot file, [`commit`] replays and verifies.

#![allow(
    clippy::missing_panics_doc,
    reason = "an `expect` here states an invariant, never a duty of the caller"
)]

pub mod challenge;
pub mod commit;
pub mod create;
pub mod error;
pub mod graph;
pub mod kernel;
pub mod plot;
pub mod seed;
pub mod shape;
pub mod vector;

pub use error::Error;
pub use kernel::Kernel;
pub use shape::{Row, Shape};
