//! Proof of space: plotter, prover and verifier (docs/protocol/space.md).
