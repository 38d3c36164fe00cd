//! The BLAKE3 tree: chaining values, outboards and Bao slices.
