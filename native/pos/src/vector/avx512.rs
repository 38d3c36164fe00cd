//! All sixteen lanes in a 512-bit register.
#![allow(unsafe_code, reason = "vector instructions")]
#![allow(
    clippy::inline_always,
    reason = "must take on the caller's target features"
)]

use super::{Block16, Vector};
use crate::shape::{LANES, Row};
use std::arch::x86_64::{
    __m512i, _MM_HINT_T1, _mm_prefetch, _mm512_add_epi32, _mm512_loadu_si512, _mm512_ror_epi32,
    _mm512_set1_epi32, _mm512_setzero_si512, _mm512_shuffle_i32x4, _mm512_storeu_si512,
    _mm512_unpackhi_epi32, _mm512_unpackhi_epi64, _mm512_unpacklo_epi32, _mm512_unpacklo_epi64,
    _mm512_xor_si512,
};

/// Sixteen words.
#[derive(Clone, Copy, Debug)]
pub struct Avx512(__m512i);

// SAFETY (all blocks below): the processor has AVX-512F, see the parent module. Loads and stores are
// unaligned ones of 64 bytes inside an array of 16 words.
impl Vector for Avx512 {
    const LANES: usize = 16;

    #[inline(always)]
    fn load(words: &[u32; LANES], _group: usize) -> Self {
        // SAFETY: 64 readable bytes.
        Self(unsafe { _mm512_loadu_si512(words.as_ptr().cast()) })
    }
    #[inline(always)]
    fn store(self, words: &mut [u32; LANES], _group: usize) {
        // SAFETY: 64 writable bytes.
        unsafe { _mm512_storeu_si512(words.as_mut_ptr().cast(), self.0) }
    }
    #[inline(always)]
    fn splat(word: u32) -> Self {
        // SAFETY: AVX-512F.
        Self(unsafe { _mm512_set1_epi32(word.cast_signed()) })
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        // SAFETY: AVX-512F.
        Self(unsafe { _mm512_add_epi32(self.0, other.0) })
    }
    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        // SAFETY: AVX-512F.
        Self(unsafe { _mm512_xor_si512(self.0, other.0) })
    }
    #[inline(always)]
    fn rot16(self) -> Self {
        // SAFETY: AVX-512F.
        Self(unsafe { _mm512_ror_epi32::<16>(self.0) })
    }
    #[inline(always)]
    fn rot12(self) -> Self {
        // SAFETY: AVX-512F.
        Self(unsafe { _mm512_ror_epi32::<12>(self.0) })
    }
    #[inline(always)]
    fn rot8(self) -> Self {
        // SAFETY: AVX-512F.
        Self(unsafe { _mm512_ror_epi32::<8>(self.0) })
    }
    #[inline(always)]
    fn rot7(self) -> Self {
        // SAFETY: AVX-512F.
        Self(unsafe { _mm512_ror_epi32::<7>(self.0) })
    }
    #[inline(always)]
    fn prefetch(row: &Row, word: usize) {
        // SAFETY: a prefetch reads nothing architecturally; the address is inside the row.
        unsafe { _mm_prefetch::<_MM_HINT_T1>((&raw const row.0[LANES * word]).cast()) }
    }

    /// The usual 16 x 16 transposition: 32-bit, 64-bit, then 128-bit shuffles.
    #[inline(always)]
    fn transpose(rows: &[Row; LANES], word: usize, out: &mut Block16) {
        // SAFETY: AVX-512F; loads and stores are those of `load` and `store`.
        unsafe {
            let mut a = [_mm512_setzero_si512(); 16];
            for (v, row) in a.iter_mut().zip(rows) {
                *v = Self::load(&row.0.as_chunks::<LANES>().0[word], 0).0;
            }
            let mut b = a;
            for r in 0..8 {
                b[2 * r] = _mm512_unpacklo_epi32(a[2 * r], a[2 * r + 1]);
                b[2 * r + 1] = _mm512_unpackhi_epi32(a[2 * r], a[2 * r + 1]);
            }
            for q in 0..4 {
                let (x, y) = (4 * q, 4 * q + 2);
                a[x] = _mm512_unpacklo_epi64(b[x], b[y]);
                a[x + 1] = _mm512_unpackhi_epi64(b[x], b[y]);
                a[x + 2] = _mm512_unpacklo_epi64(b[x + 1], b[y + 1]);
                a[x + 3] = _mm512_unpackhi_epi64(b[x + 1], b[y + 1]);
            }
            // a[4q + c] holds, in 128-bit part p, word 4p + c of rows 4q..4q+3.
            for c in 0..4 {
                let low01 = _mm512_shuffle_i32x4::<0b10_00_10_00>(a[c], a[4 + c]);
                let high01 = _mm512_shuffle_i32x4::<0b11_01_11_01>(a[c], a[4 + c]);
                let low23 = _mm512_shuffle_i32x4::<0b10_00_10_00>(a[8 + c], a[12 + c]);
                let high23 = _mm512_shuffle_i32x4::<0b11_01_11_01>(a[8 + c], a[12 + c]);
                Self(_mm512_shuffle_i32x4::<0b10_00_10_00>(low01, low23)).store(&mut out[c], 0);
                Self(_mm512_shuffle_i32x4::<0b10_00_10_00>(high01, high23))
                    .store(&mut out[4 + c], 0);
                Self(_mm512_shuffle_i32x4::<0b11_01_11_01>(low01, low23)).store(&mut out[8 + c], 0);
                Self(_mm512_shuffle_i32x4::<0b11_01_11_01>(high01, high23))
                    .store(&mut out[12 + c], 0);
            }
        }
    }
}
