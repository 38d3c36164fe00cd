//! NEON: two table look-ups per 16 bytes and input, one per nibble.
#![allow(unsafe_code)] // SIMD kernels: every block states why it is sound

use std::arch::aarch64::{
    vandq_u8, vdupq_n_u8, veorq_u8, vld1q_u8, vqtbl1q_u8, vshrq_n_u8, vst1q_u8,
};

use super::portable;
use crate::field::NIBBLES;

/// Vectors summed at once.
const UNROLL: usize = 4;

/// `weighted_sum` with NEON.
pub fn neon(coefficients: &[u8], inputs: &[&[u8]], output: &mut [u8]) {
    assert!(
        std::arch::is_aarch64_feature_detected!("neon"),
        "NEON path on a machine without NEON"
    );
    // SAFETY: the feature was just detected, the caller checked that all lengths are equal.
    let done = unsafe { neon_body(coefficients, inputs, output) };
    portable::weighted_sum(coefficients, inputs, output, done);
}

/// # Safety
/// Needs NEON, and inputs as long as the output.
#[target_feature(enable = "neon")]
unsafe fn neon_body(coefficients: &[u8], inputs: &[&[u8]], output: &mut [u8]) -> usize {
    let mask = vdupq_n_u8(15);
    let mut at = 0;
    while at + 16 * UNROLL <= output.len() {
        let mut sums = [vdupq_n_u8(0); UNROLL];
        for (&coefficient, input) in coefficients.iter().zip(inputs) {
            let table = NIBBLES[usize::from(coefficient)].as_ptr();
            // SAFETY: a row of NIBBLES is twice 16 bytes.
            let (low, high) = unsafe { (vld1q_u8(table), vld1q_u8(table.add(16))) };
            for (i, sum) in sums.iter_mut().enumerate() {
                // SAFETY: at + 16 * UNROLL bytes are within every input.
                let bytes = unsafe { vld1q_u8(input.as_ptr().add(at + 16 * i)) };
                let low = vqtbl1q_u8(low, vandq_u8(bytes, mask));
                let high = vqtbl1q_u8(high, vshrq_n_u8::<4>(bytes));
                *sum = veorq_u8(*sum, veorq_u8(low, high));
            }
        }
        for (i, sum) in sums.into_iter().enumerate() {
            // SAFETY: at + 16 * UNROLL bytes are within the output.
            unsafe { vst1q_u8(output.as_mut_ptr().add(at + 16 * i), sum) };
        }
        at += 16 * UNROLL;
    }
    at
}
