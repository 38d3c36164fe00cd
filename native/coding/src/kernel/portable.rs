//! One table look-up per byte; also what the vector paths leave at the end.

use crate::field::MUL;

/// Bytes summed at a time, so that the output stays in the nearest cache.
const BLOCK: usize = 4096;

/// `weighted_sum` for the bytes from `from` on.
pub fn weighted_sum(coefficients: &[u8], inputs: &[&[u8]], output: &mut [u8], from: usize) {
    for (block, out) in output[from..].chunks_mut(BLOCK).enumerate() {
        let at = from + block * BLOCK;
        out.fill(0);
        for (&coefficient, input) in coefficients.iter().zip(inputs) {
            let products = &MUL[usize::from(coefficient)];
            for (sum, &byte) in out.iter_mut().zip(&input[at..]) {
                *sum ^= products[usize::from(byte)];
            }
        }
    }
}
