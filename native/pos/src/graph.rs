//! The seven bijections that give a row its parents.

use crate::shape::{DEGREE, LANES};

const ROUNDS: usize = 4;

/// The bijections of [0, 2^b).
#[derive(Clone, Debug)]
pub struct Graph {
    mask: u32,
    shift: u32,
    constants: [[(u32, u32); ROUNDS]; DEGREE],
}

/// The parents of 16 consecutive rows, by bijection and row.
pub type Parents16 = [[u32; LANES]; DEGREE];

impl Graph {
    /// The graph of 2^b rows.
    #[must_use]
    pub fn new(b: u8) -> Self {
        let mut constants = [[(0, 0); ROUNDS]; DEGREE];
        for (d, rounds) in (0u8..).zip(&mut constants) {
            for (r, pair) in (0u8..).zip(rounds) {
                *pair = round_constants(d, r);
            }
        }
        let mask = u32::try_from((1u64 << b) - 1).expect("b is at most 32");
        Self {
            mask,
            shift: u32::from(b).div_ceil(2),
            constants,
        }
    }

    /// n - 1.
    #[must_use]
    pub fn mask(&self) -> u32 {
        self.mask
    }

    /// The row before i; row 0 follows the last.
    #[must_use]
    pub fn chain_parent(&self, i: u32) -> u32 {
        i.wrapping_sub(1) & self.mask
    }

    /// The seven parents of row i.
    #[must_use]
    pub fn parents(&self, i: u32) -> [u32; DEGREE] {
        let mut parents = [i; DEGREE];
        for (x, rounds) in parents.iter_mut().zip(&self.constants) {
            for &(mul, add) in rounds {
                *x = x.wrapping_mul(mul).wrapping_add(add) & self.mask;
                *x ^= *x >> self.shift;
            }
        }
        parents
    }

    /// The parents of rows `first` to `first + 15`, in a form that compilers vectorise.
    #[inline(always)]
    #[allow(
        clippy::inline_always,
        reason = "must take on the caller's target features"
    )]
    pub fn parents16(&self, first: u32, out: &mut Parents16) {
        for (row, rounds) in out.iter_mut().zip(&self.constants) {
            for (x, offset) in row.iter_mut().zip(0u32..) {
                *x = first.wrapping_add(offset);
            }
            for &(mul, add) in rounds {
                for x in row.iter_mut() {
                    *x = x.wrapping_mul(mul).wrapping_add(add) & self.mask;
                    *x ^= *x >> self.shift;
                }
            }
        }
    }

    /// The row, its chain parent and its parents: ascending, each once.
    #[must_use]
    pub fn neighbours(&self, i: u32) -> Vec<u32> {
        let mut all = vec![i, self.chain_parent(i)];
        all.extend(self.parents(i));
        all.sort_unstable();
        all.dedup();
        all
    }
}

fn round_constants(d: u8, r: u8) -> (u32, u32) {
    let hash = blake3::derive_key("cybervein 2026-11 graph", &[d, r]);
    let (words, _) = hash.as_chunks::<4>();
    (
        u32::from_le_bytes(words[0]) | 1,
        u32::from_le_bytes(words[1]),
    )
}
