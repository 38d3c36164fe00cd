//! Erasure coding and the segment pipeline.
