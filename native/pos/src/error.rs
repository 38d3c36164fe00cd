//! What can go wrong, said with expected and actual.

use std::path::PathBuf;

/// Errors of plotting, replaying and verifying.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A shape outside the limits.
    #[error("plot shape: {name} = {value}, expected {min} to {max}")]
    Shape {
        /// Which number.
        name: &'static str,
        /// Its value.
        value: u64,
        /// Least accepted.
        min: u64,
        /// Most accepted.
        max: u64,
    },
    /// A kernel that this processor or build does not have.
    #[error("plot kernel {0:?}: not on this machine; it has {1}")]
    Kernel(String, String),
    /// A proof that does not verify.
    #[error("{0}")]
    Proof(String),
    /// A file that cannot be written or read.
    #[error("{path}: {what} failed: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What was being done.
        what: &'static str,
        /// The system's error.
        source: std::io::Error,
    },
    /// Bytes that came back from the disk differ from those written.
    #[error("{0}: the bytes read back do not hash to the plot's root; check the disk")]
    ReadBack(PathBuf),
    /// Memory that the system refuses.
    #[error("plotting: {bytes} bytes of memory refused: {source}")]
    Memory {
        /// How much.
        bytes: usize,
        /// The system's error.
        source: std::io::Error,
    },
    /// The caller asked to stop.
    #[error("plotting was cancelled")]
    Cancelled,
}
