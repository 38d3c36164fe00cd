//! Four lanes in a 128-bit register of aarch64.
#![allow(unsafe_code, reason = "vector instructions")]
#![allow(
    clippy::inline_always,
    reason = "must take on the caller's target features"
)]

use super::Vector;
use crate::shape::{LANES, Row};
use std::arch::aarch64::{
    uint32x4_t, vaddq_u32, vdupq_n_u32, veorq_u32, vld1q_u32, vreinterpretq_u16_u32,
    vreinterpretq_u32_u16, vrev32q_u16, vshrq_n_u32, vsliq_n_u32, vst1q_u32,
};

/// Four words.
#[derive(Clone, Copy, Debug)]
pub struct Neon(uint32x4_t);

// SAFETY (all blocks below): every aarch64 processor that Rust's standard library supports has NEON.
// Loads and stores are of 16 bytes inside a slice of four words that was bounds-checked.
impl Vector for Neon {
    const LANES: usize = 4;

    #[inline(always)]
    fn load(words: &[u32; LANES], group: usize) -> Self {
        let words = &words.as_chunks::<4>().0[group];
        // SAFETY: 16 readable bytes.
        Self(unsafe { vld1q_u32(words.as_ptr()) })
    }
    #[inline(always)]
    fn store(self, words: &mut [u32; LANES], group: usize) {
        let words = &mut words.as_chunks_mut::<4>().0[group];
        // SAFETY: 16 writable bytes.
        unsafe { vst1q_u32(words.as_mut_ptr(), self.0) }
    }
    #[inline(always)]
    fn splat(word: u32) -> Self {
        // SAFETY: NEON.
        Self(unsafe { vdupq_n_u32(word) })
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        // SAFETY: NEON.
        Self(unsafe { vaddq_u32(self.0, other.0) })
    }
    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        // SAFETY: NEON.
        Self(unsafe { veorq_u32(self.0, other.0) })
    }
    #[inline(always)]
    fn rot16(self) -> Self {
        // SAFETY: NEON.
        Self(unsafe { vreinterpretq_u32_u16(vrev32q_u16(vreinterpretq_u16_u32(self.0))) })
    }
    #[inline(always)]
    fn rot12(self) -> Self {
        // SAFETY: NEON.
        Self(unsafe { vsliq_n_u32::<20>(vshrq_n_u32::<12>(self.0), self.0) })
    }
    #[inline(always)]
    fn rot8(self) -> Self {
        // SAFETY: NEON.
        Self(unsafe { vsliq_n_u32::<24>(vshrq_n_u32::<8>(self.0), self.0) })
    }
    #[inline(always)]
    fn rot7(self) -> Self {
        // SAFETY: NEON.
        Self(unsafe { vsliq_n_u32::<25>(vshrq_n_u32::<7>(self.0), self.0) })
    }
    #[inline(always)]
    fn prefetch(row: &Row, word: usize) {
        let line = &raw const row.0[LANES * word];
        // SAFETY: a prefetch reads nothing architecturally; the address is inside the row.
        unsafe {
            std::arch::asm!("prfm pldl2keep, [{0}]", in(reg) line, options(nostack, preserves_flags));
        }
    }
}
