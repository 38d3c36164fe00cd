//! Eight lanes in a 256-bit register.
#![allow(unsafe_code, reason = "vector instructions")]
#![allow(
    clippy::inline_always,
    reason = "must take on the caller's target features"
)]

use super::Vector;
use crate::shape::{LANES, Row};
use std::arch::x86_64::{
    __m256i, _MM_HINT_T1, _mm_prefetch, _mm256_add_epi32, _mm256_loadu_si256, _mm256_or_si256,
    _mm256_set1_epi32, _mm256_setr_epi8, _mm256_shuffle_epi8, _mm256_slli_epi32, _mm256_srli_epi32,
    _mm256_storeu_si256, _mm256_xor_si256,
};

/// Eight words.
#[derive(Clone, Copy, Debug)]
pub struct Avx2(__m256i);

// SAFETY (all blocks below): the processor has AVX2, see the parent module. Loads and stores are
// unaligned ones of 32 bytes inside a slice of eight words that was bounds-checked.
impl Vector for Avx2 {
    const LANES: usize = 8;

    #[inline(always)]
    fn load(words: &[u32; LANES], group: usize) -> Self {
        let words = &words.as_chunks::<8>().0[group];
        // SAFETY: 32 readable bytes.
        Self(unsafe { _mm256_loadu_si256(words.as_ptr().cast()) })
    }
    #[inline(always)]
    fn store(self, words: &mut [u32; LANES], group: usize) {
        let words = &mut words.as_chunks_mut::<8>().0[group];
        // SAFETY: 32 writable bytes.
        unsafe { _mm256_storeu_si256(words.as_mut_ptr().cast(), self.0) }
    }
    #[inline(always)]
    fn splat(word: u32) -> Self {
        // SAFETY: AVX2.
        Self(unsafe { _mm256_set1_epi32(word.cast_signed()) })
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        // SAFETY: AVX2.
        Self(unsafe { _mm256_add_epi32(self.0, other.0) })
    }
    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        // SAFETY: AVX2.
        Self(unsafe { _mm256_xor_si256(self.0, other.0) })
    }
    #[inline(always)]
    fn rot16(self) -> Self {
        // SAFETY: AVX2.
        Self(unsafe {
            let order = _mm256_setr_epi8(
                2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13, 2, 3, 0, 1, 6, 7, 4, 5, 10,
                11, 8, 9, 14, 15, 12, 13,
            );
            _mm256_shuffle_epi8(self.0, order)
        })
    }
    #[inline(always)]
    fn rot12(self) -> Self {
        // SAFETY: AVX2.
        Self(unsafe {
            _mm256_or_si256(
                _mm256_srli_epi32::<12>(self.0),
                _mm256_slli_epi32::<20>(self.0),
            )
        })
    }
    #[inline(always)]
    fn rot8(self) -> Self {
        // SAFETY: AVX2.
        Self(unsafe {
            let order = _mm256_setr_epi8(
                1, 2, 3, 0, 5, 6, 7, 4, 9, 10, 11, 8, 13, 14, 15, 12, 1, 2, 3, 0, 5, 6, 7, 4, 9,
                10, 11, 8, 13, 14, 15, 12,
            );
            _mm256_shuffle_epi8(self.0, order)
        })
    }
    #[inline(always)]
    fn rot7(self) -> Self {
        // SAFETY: AVX2.
        Self(unsafe {
            _mm256_or_si256(
                _mm256_srli_epi32::<7>(self.0),
                _mm256_slli_epi32::<25>(self.0),
            )
        })
    }
    #[inline(always)]
    fn prefetch(row: &Row, word: usize) {
        // SAFETY: a prefetch reads nothing architecturally; the address is inside the row.
        unsafe { _mm_prefetch::<_MM_HINT_T1>((&raw const row.0[LANES * word]).cast()) }
    }
}
