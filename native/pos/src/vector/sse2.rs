//! Four lanes in a 128-bit register: every x86-64 processor, also small ones without AVX2.
#![allow(unsafe_code, reason = "vector instructions")]
#![allow(clippy::inline_always, reason = "one vector operation each")]

use super::Vector;
use crate::shape::{LANES, Row};
use std::arch::x86_64::{
    __m128i, _MM_HINT_T1, _mm_add_epi32, _mm_loadu_si128, _mm_or_si128, _mm_prefetch,
    _mm_set1_epi32, _mm_shufflehi_epi16, _mm_shufflelo_epi16, _mm_slli_epi32, _mm_srli_epi32,
    _mm_storeu_si128, _mm_xor_si128,
};

/// Four words.
#[derive(Clone, Copy, Debug)]
pub struct Sse2(__m128i);

// SAFETY (all blocks below): SSE2 is part of x86-64. Loads and stores are unaligned ones of 16 bytes
// inside a slice of four words that was bounds-checked.
impl Vector for Sse2 {
    const LANES: usize = 4;

    #[inline(always)]
    fn load(words: &[u32; LANES], group: usize) -> Self {
        let words = &words.as_chunks::<4>().0[group];
        // SAFETY: 16 readable bytes.
        Self(unsafe { _mm_loadu_si128(words.as_ptr().cast()) })
    }
    #[inline(always)]
    fn store(self, words: &mut [u32; LANES], group: usize) {
        let words = &mut words.as_chunks_mut::<4>().0[group];
        // SAFETY: 16 writable bytes.
        unsafe { _mm_storeu_si128(words.as_mut_ptr().cast(), self.0) }
    }
    #[inline(always)]
    fn splat(word: u32) -> Self {
        // SAFETY: SSE2.
        Self(unsafe { _mm_set1_epi32(word.cast_signed()) })
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        // SAFETY: SSE2.
        Self(unsafe { _mm_add_epi32(self.0, other.0) })
    }
    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        // SAFETY: SSE2.
        Self(unsafe { _mm_xor_si128(self.0, other.0) })
    }
    #[inline(always)]
    fn rot16(self) -> Self {
        // SAFETY: SSE2.
        Self(unsafe {
            _mm_shufflehi_epi16::<0b10_11_00_01>(_mm_shufflelo_epi16::<0b10_11_00_01>(self.0))
        })
    }
    #[inline(always)]
    fn rot12(self) -> Self {
        // SAFETY: SSE2.
        Self(unsafe { _mm_or_si128(_mm_srli_epi32::<12>(self.0), _mm_slli_epi32::<20>(self.0)) })
    }
    #[inline(always)]
    fn rot8(self) -> Self {
        // SAFETY: SSE2.
        Self(unsafe { _mm_or_si128(_mm_srli_epi32::<8>(self.0), _mm_slli_epi32::<24>(self.0)) })
    }
    #[inline(always)]
    fn rot7(self) -> Self {
        // SAFETY: SSE2.
        Self(unsafe { _mm_or_si128(_mm_srli_epi32::<7>(self.0), _mm_slli_epi32::<25>(self.0)) })
    }
    #[inline(always)]
    fn prefetch(row: &Row, word: usize) {
        // SAFETY: a prefetch reads nothing architecturally; the address is inside the row.
        unsafe { _mm_prefetch::<_MM_HINT_T1>((&raw const row.0[LANES * word]).cast()) }
    }
}
