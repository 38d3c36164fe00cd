//! AVX-512 with GFNI, and AVX2.
#![allow(unsafe_code)] // SIMD kernels: every block states why it is sound
#![allow(clippy::cast_ptr_alignment)] // all loads and stores are the unaligned ones

use std::arch::x86_64::{
    __m128i, __m256i, _mm_loadu_si128, _mm256_and_si256, _mm256_broadcastsi128_si256,
    _mm256_loadu_si256, _mm256_set1_epi8, _mm256_setzero_si256, _mm256_shuffle_epi8,
    _mm256_srli_epi64, _mm256_storeu_si256, _mm256_xor_si256, _mm512_gf2p8affine_epi64_epi8,
    _mm512_loadu_si512, _mm512_set1_epi64, _mm512_setzero_si512, _mm512_storeu_si512,
    _mm512_xor_si512,
};

use super::portable;
use crate::field::{AFFINE, NIBBLES};

/// Vectors summed at once: enough to hide the latency of the affine instruction.
const UNROLL: usize = 4;

/// One `GF2P8AFFINEQB` per 64 bytes and input.
pub fn gfni(coefficients: &[u8], inputs: &[&[u8]], output: &mut [u8]) {
    assert!(
        is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("gfni"),
        "GFNI path on a machine without GFNI"
    );
    // SAFETY: the features were just detected, the caller checked that all lengths are equal.
    let done = unsafe { gfni_body(coefficients, inputs, output) };
    portable::weighted_sum(coefficients, inputs, output, done);
}

/// # Safety
/// Needs AVX-512F, AVX-512BW and GFNI, and inputs as long as the output.
#[target_feature(enable = "avx512f,avx512bw,gfni")]
unsafe fn gfni_body(coefficients: &[u8], inputs: &[&[u8]], output: &mut [u8]) -> usize {
    let mut at = 0;
    while at + 64 * UNROLL <= output.len() {
        let mut sums = [_mm512_setzero_si512(); UNROLL];
        for (&coefficient, input) in coefficients.iter().zip(inputs) {
            let matrix = _mm512_set1_epi64(AFFINE[usize::from(coefficient)].cast_signed());
            for (i, sum) in sums.iter_mut().enumerate() {
                // SAFETY: at + 64 * UNROLL bytes are within every input.
                let bytes = unsafe { _mm512_loadu_si512(input.as_ptr().add(at + 64 * i).cast()) };
                *sum = _mm512_xor_si512(*sum, _mm512_gf2p8affine_epi64_epi8::<0>(bytes, matrix));
            }
        }
        for (i, sum) in sums.into_iter().enumerate() {
            // SAFETY: at + 64 * UNROLL bytes are within the output.
            unsafe { _mm512_storeu_si512(output.as_mut_ptr().add(at + 64 * i).cast(), sum) };
        }
        at += 64 * UNROLL;
    }
    at
}

/// Two byte shuffles per 32 bytes and input, one per nibble.
pub fn avx2(coefficients: &[u8], inputs: &[&[u8]], output: &mut [u8]) {
    assert!(
        is_x86_feature_detected!("avx2"),
        "AVX2 path on a machine without AVX2"
    );
    // SAFETY: the feature was just detected, the caller checked that all lengths are equal.
    let done = unsafe { avx2_body(coefficients, inputs, output) };
    portable::weighted_sum(coefficients, inputs, output, done);
}

/// # Safety
/// Needs AVX2, and inputs as long as the output.
#[target_feature(enable = "avx2")]
unsafe fn avx2_body(coefficients: &[u8], inputs: &[&[u8]], output: &mut [u8]) -> usize {
    let mask = _mm256_set1_epi8(15);
    let mut at = 0;
    while at + 32 * UNROLL <= output.len() {
        let mut sums = [_mm256_setzero_si256(); UNROLL];
        for (&coefficient, input) in coefficients.iter().zip(inputs) {
            let table = NIBBLES[usize::from(coefficient)].as_ptr().cast::<__m128i>();
            // SAFETY: a row of NIBBLES is twice 16 bytes.
            let (low, high) = unsafe { (_mm_loadu_si128(table), _mm_loadu_si128(table.add(1))) };
            let (low, high) = (
                _mm256_broadcastsi128_si256(low),
                _mm256_broadcastsi128_si256(high),
            );
            for (i, sum) in sums.iter_mut().enumerate() {
                // SAFETY: at + 32 * UNROLL bytes are within every input.
                let bytes = unsafe {
                    _mm256_loadu_si256(input.as_ptr().add(at + 32 * i).cast::<__m256i>())
                };
                let low = _mm256_shuffle_epi8(low, _mm256_and_si256(bytes, mask));
                let nibbles = _mm256_and_si256(_mm256_srli_epi64::<4>(bytes), mask);
                let high = _mm256_shuffle_epi8(high, nibbles);
                *sum = _mm256_xor_si256(*sum, _mm256_xor_si256(low, high));
            }
        }
        for (i, sum) in sums.into_iter().enumerate() {
            // SAFETY: at + 32 * UNROLL bytes are within the output.
            unsafe {
                _mm256_storeu_si256(output.as_mut_ptr().add(at + 32 * i).cast::<__m256i>(), sum);
            };
        }
        at += 32 * UNROLL;
    }
    at
}
