//! Vectors of 32-bit words: the one thing that differs between processors.
//!
//! A row has 16 lanes; a vector holds 4, 8 or 16 of them, and [`crate::kernel`] walks a row in
//! groups of that many. All `unsafe` code of this crate is in the modules below. Its safety argument
//! is one: a vector type is used only inside the entry function of its kernel, which is reached only
//! after its processor feature was detected ([`crate::Kernel::detect`]), and all memory is touched
//! through array references whose lengths are in their types.

use crate::shape::{LANES, Row, WORDS};

#[cfg(target_arch = "x86_64")]
pub mod avx2;
#[cfg(target_arch = "x86_64")]
pub mod avx512;
#[cfg(target_arch = "aarch64")]
pub mod neon;
pub mod portable;
#[cfg(target_arch = "x86_64")]
pub mod sse2;

/// 16 vectors of 16 lanes: one block of 16 messages, word by word.
pub type Block16 = [[u32; LANES]; 2 * WORDS];

/// Some lanes of 32-bit words.
pub trait Vector: Copy {
    /// How many lanes; divides 16.
    const LANES: usize;

    /// Lanes `group * LANES ..` of 16 words.
    fn load(words: &[u32; LANES], group: usize) -> Self;
    /// Write them back.
    fn store(self, words: &mut [u32; LANES], group: usize);
    /// All lanes equal.
    fn splat(word: u32) -> Self;
    /// Wrapping addition.
    #[must_use]
    fn add(self, other: Self) -> Self;
    /// Exclusive or.
    #[must_use]
    fn xor(self, other: Self) -> Self;
    /// Rotations right.
    #[must_use]
    fn rot16(self) -> Self;
    /// By 12.
    #[must_use]
    fn rot12(self) -> Self;
    /// By 8.
    #[must_use]
    fn rot8(self) -> Self;
    /// By 7.
    #[must_use]
    fn rot7(self) -> Self;

    /// Ask for one 64-byte line of a row (word 0..7) to be brought near.
    fn prefetch(row: &Row, word: usize);

    /// Word t of message r is word t of `rows[r]`'s line `word`: `out[t][r] = rows[r][word][t]`.
    #[inline(always)]
    #[allow(
        clippy::inline_always,
        reason = "must take on the caller's target features"
    )]
    fn transpose(rows: &[Row; LANES], word: usize, out: &mut Block16) {
        for (r, row) in rows.iter().enumerate() {
            for (t, line) in out.iter_mut().enumerate() {
                line[r] = row.0[LANES * word + t];
            }
        }
    }
}
