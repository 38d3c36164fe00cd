//! Four lanes in an array: every processor, and what the compiler makes of it.

use super::Vector;
use crate::shape::{LANES, Row};

/// Four words.
#[derive(Clone, Copy, Debug)]
pub struct Portable([u32; 4]);

impl Portable {
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "one vector operation")]
    fn map(self, f: impl Fn(u32) -> u32) -> Self {
        Self(self.0.map(f))
    }

    #[inline(always)]
    #[allow(clippy::inline_always, reason = "one vector operation")]
    fn zip(self, other: Self, f: impl Fn(u32, u32) -> u32) -> Self {
        Self(std::array::from_fn(|lane| f(self.0[lane], other.0[lane])))
    }
}

#[allow(clippy::inline_always, reason = "one vector operation each")]
impl Vector for Portable {
    const LANES: usize = 4;

    #[inline(always)]
    fn load(words: &[u32; LANES], group: usize) -> Self {
        Self(words.as_chunks::<4>().0[group])
    }
    #[inline(always)]
    fn store(self, words: &mut [u32; LANES], group: usize) {
        words.as_chunks_mut::<4>().0[group] = self.0;
    }
    #[inline(always)]
    fn splat(word: u32) -> Self {
        Self([word; 4])
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.zip(other, u32::wrapping_add)
    }
    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        self.zip(other, |a, b| a ^ b)
    }
    #[inline(always)]
    fn rot16(self) -> Self {
        self.map(|a| a.rotate_right(16))
    }
    #[inline(always)]
    fn rot12(self) -> Self {
        self.map(|a| a.rotate_right(12))
    }
    #[inline(always)]
    fn rot8(self) -> Self {
        self.map(|a| a.rotate_right(8))
    }
    #[inline(always)]
    fn rot7(self) -> Self {
        self.map(|a| a.rotate_right(7))
    }
    /// There is no portable prefetch.
    #[inline(always)]
    fn prefetch(_row: &Row, _word: usize) {}
}
