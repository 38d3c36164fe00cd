//! Hashing rows: BLAKE3 over 16 lanes, generic in the vector, compiled once for each processor kind.
//!
//! [`Kernel`] names the compiled versions and picks the best this machine has; its entry functions
//! ([`Kernel::first_layer`], [`Kernel::layer`]) are the only way in.
#![allow(
    clippy::inline_always,
    reason = "generic code must take on its entry's target features"
)]

use crate::Error;
use crate::graph::{Graph, Parents16};
use crate::shape::{DEGREE, LANES, Row, WORDS};
use crate::vector::portable::Portable;
#[cfg(target_arch = "x86_64")]
use crate::vector::sse2::Sse2;
use crate::vector::{Block16, Vector};

const IV: [u32; 8] = [
    0x6A09_E667,
    0xBB67_AE85,
    0x3C6E_F372,
    0xA54F_F53A,
    0x510E_527F,
    0x9B05_688C,
    0x1F83_D9AB,
    0x5BE0_CD19,
];
const CHUNK_START: u32 = 1;
const CHUNK_END: u32 = 2;
const ROOT: u32 = 8;
const KEYED: u32 = 16;

/// Order of the message words in each of the seven rounds (BLAKE3, table 2, applied r times).
const SCHEDULE: [[usize; 16]; 7] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8],
    [3, 4, 10, 12, 13, 2, 7, 14, 6, 5, 9, 0, 11, 15, 8, 1],
    [10, 7, 12, 9, 14, 3, 13, 15, 4, 0, 11, 2, 5, 8, 1, 6],
    [12, 13, 9, 11, 15, 10, 14, 8, 7, 2, 5, 3, 0, 1, 6, 4],
    [9, 14, 11, 5, 8, 12, 15, 1, 13, 3, 0, 10, 2, 6, 4, 7],
    [11, 15, 5, 0, 1, 9, 8, 6, 14, 10, 2, 12, 3, 4, 7, 13],
];

/// Rows between the row being hashed and the one whose parents are fetched.
const PREFETCH_ROWS: u32 = 24;

/// A compiled version of the plotter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kernel {
    /// 512-bit registers of x86-64.
    Avx512,
    /// 256-bit registers of x86-64.
    Avx2,
    /// 128-bit registers of every x86-64.
    Sse2,
    /// 128-bit registers of aarch64.
    Neon,
    /// Whatever the compiler makes of plain Rust.
    Portable,
}

/// What a layer is made of.
#[derive(Clone, Copy, Debug)]
pub struct Layer<'a> {
    /// The graph.
    pub graph: &'a Graph,
    /// The lane keys.
    pub keys: &'a Row,
    /// l, from 1.
    pub layer: u32,
}

impl Kernel {
    /// All kernels that run on this machine, best first.
    #[must_use]
    pub fn available() -> Vec<Self> {
        [
            Self::Avx512,
            Self::Avx2,
            Self::Sse2,
            Self::Neon,
            Self::Portable,
        ]
        .into_iter()
        .filter(|kernel| kernel.is_available())
        .collect()
    }

    /// The best kernel of this machine.
    #[must_use]
    pub fn detect() -> Self {
        Self::available()[0]
    }

    /// The kernel of that name, or the best one.
    ///
    /// # Errors
    /// [`Error::Kernel`] if it is unknown or not on this machine.
    pub fn choose(name: Option<&str>) -> Result<Self, Error> {
        let Some(name) = name else {
            return Ok(Self::detect());
        };
        let available = Self::available();
        available
            .iter()
            .copied()
            .find(|kernel| kernel.name() == name)
            .ok_or_else(|| {
                let names: Vec<_> = available.iter().map(|kernel| kernel.name()).collect();
                Error::Kernel(name.to_owned(), names.join(", "))
            })
    }

    /// Its name in configuration and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Avx512 => "avx512",
            Self::Avx2 => "avx2",
            Self::Sse2 => "sse2",
            Self::Neon => "neon",
            Self::Portable => "portable",
        }
    }

    fn is_available(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => is_x86_feature_detected!("avx512f"),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => is_x86_feature_detected!("avx2"),
            #[cfg(target_arch = "x86_64")]
            Self::Sse2 => true,
            #[cfg(target_arch = "aarch64")]
            Self::Neon => true,
            Self::Portable => true,
            #[allow(unreachable_patterns, reason = "differs by architecture")]
            _ => false,
        }
    }

    /// Layer 0 of rows `first ..`.
    pub fn first_layer(self, keys: &Row, first: u32, rows: &mut [Row]) {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => x86::first_layer_avx512(self, keys, first, rows),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => x86::first_layer_avx2(self, keys, first, rows),
            #[cfg(target_arch = "x86_64")]
            Self::Sse2 => first_layer::<Sse2>(keys, first, rows),
            #[cfg(target_arch = "aarch64")]
            Self::Neon => first_layer::<crate::vector::neon::Neon>(keys, first, rows),
            _ => first_layer::<Portable>(keys, first, rows),
        }
    }

    /// Rows `16 * groups.start .. 16 * groups.end` of one layer, in place, and their column digests.
    ///
    /// # Panics
    /// If `rows` is not all n rows or `digests` not all n/16 groups.
    pub fn layer(
        self,
        layer: Layer<'_>,
        rows: &mut [Row],
        digests: &mut [Row],
        groups: std::ops::Range<u32>,
    ) {
        assert_eq!(
            rows.len() - 1,
            layer.graph.mask() as usize,
            "all rows of the graph"
        );
        assert_eq!(
            digests.len() * LANES,
            rows.len(),
            "one digest row per 16 rows"
        );
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => x86::layer_avx512(self, layer, rows, digests, groups),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => x86::layer_avx2(self, layer, rows, digests, groups),
            #[cfg(target_arch = "x86_64")]
            Self::Sse2 => run_layer::<Sse2>(layer, rows, digests, groups),
            #[cfg(target_arch = "aarch64")]
            Self::Neon => run_layer::<crate::vector::neon::Neon>(layer, rows, digests, groups),
            _ => run_layer::<Portable>(layer, rows, digests, groups),
        }
    }

    /// Hash `count` times 16 lanes of one block each, from registers and first-level cache alone:
    /// the limit that plotting is measured against.
    #[must_use]
    pub fn compressions(self, count: u64) -> u32 {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => x86::compressions_avx512(self, count),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => x86::compressions_avx2(self, count),
            #[cfg(target_arch = "x86_64")]
            Self::Sse2 => compressions::<Sse2>(count),
            #[cfg(target_arch = "aarch64")]
            Self::Neon => compressions::<crate::vector::neon::Neon>(count),
            _ => compressions::<Portable>(count),
        }
    }
}

/// The generic code again, once for each set of x86-64 features.
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code, reason = "calls across target features")]
mod x86 {
    use super::{Kernel, Layer, Row, compressions, first_layer, run_layer};
    use crate::vector::{avx2::Avx2, avx512::Avx512};
    use std::ops::Range;

    macro_rules! compiled_for {
        ($feature:literal, $kernel:ident, $vector:ty, $first:ident, $layer:ident, $count:ident) => {
            pub fn $first(kernel: Kernel, keys: &Row, first: u32, rows: &mut [Row]) {
                #[target_feature(enable = $feature)]
                fn inner(keys: &Row, first: u32, rows: &mut [Row]) {
                    first_layer::<$vector>(keys, first, rows);
                }
                assert!(
                    kernel == Kernel::$kernel && kernel.is_available(),
                    "feature detected"
                );
                // SAFETY: the feature was just seen to be there.
                unsafe { inner(keys, first, rows) }
            }

            pub fn $layer(
                kernel: Kernel,
                layer: Layer<'_>,
                rows: &mut [Row],
                digests: &mut [Row],
                groups: Range<u32>,
            ) {
                #[target_feature(enable = $feature)]
                fn inner(l: Layer<'_>, rows: &mut [Row], digests: &mut [Row], groups: Range<u32>) {
                    run_layer::<$vector>(l, rows, digests, groups);
                }
                assert!(
                    kernel == Kernel::$kernel && kernel.is_available(),
                    "feature detected"
                );
                // SAFETY: the feature was just seen to be there.
                unsafe { inner(layer, rows, digests, groups) }
            }

            pub fn $count(kernel: Kernel, count: u64) -> u32 {
                #[target_feature(enable = $feature)]
                fn inner(count: u64) -> u32 {
                    compressions::<$vector>(count)
                }
                assert!(
                    kernel == Kernel::$kernel && kernel.is_available(),
                    "feature detected"
                );
                // SAFETY: the feature was just seen to be there.
                unsafe { inner(count) }
            }
        };
    }

    compiled_for!(
        "avx512f",
        Avx512,
        Avx512,
        first_layer_avx512,
        layer_avx512,
        compressions_avx512
    );
    compiled_for!(
        "avx2",
        Avx2,
        Avx2,
        first_layer_avx2,
        layer_avx2,
        compressions_avx2
    );
}

/// The 16 words of lane vector `w` of a row.
#[inline(always)]
fn line(row: &Row, word: usize) -> &[u32; LANES] {
    &row.0.as_chunks::<LANES>().0[word]
}

#[inline(always)]
fn line_mut(row: &mut Row, word: usize) -> &mut [u32; LANES] {
    &mut row.0.as_chunks_mut::<LANES>().0[word]
}

#[inline(always)]
fn load_row<V: Vector>(row: &Row, group: usize) -> [V; WORDS] {
    std::array::from_fn(|word| V::load(line(row, word), group))
}

#[inline(always)]
fn store_row<V: Vector>(values: [V; WORDS], row: &mut Row, group: usize) {
    for (word, value) in values.into_iter().enumerate() {
        value.store(line_mut(row, word), group);
    }
}

/// One half round: four independent G functions side by side, as four dependency chains.
macro_rules! quarter_rounds {
    ($v:ident, $m:ident, $s:expr, $at:literal, $([$a:literal, $b:literal, $c:literal, $d:literal]),+) => {{
        let s = $s;
        let mut at = $at;
        $( $v[$a] = $v[$a].add($m[s[at]]).add($v[$b]); at += 2; )+
        $( $v[$d] = $v[$d].xor($v[$a]).rot16(); )+
        $( $v[$c] = $v[$c].add($v[$d]); )+
        $( $v[$b] = $v[$b].xor($v[$c]).rot12(); )+
        at = $at + 1;
        $( $v[$a] = $v[$a].add($m[s[at]]).add($v[$b]); at += 2; )+
        $( $v[$d] = $v[$d].xor($v[$a]).rot8(); )+
        $( $v[$c] = $v[$c].add($v[$d]); )+
        $( $v[$b] = $v[$b].xor($v[$c]).rot7(); )+
        let _ = at;
    }};
}

/// BLAKE3's compression function (section 2.2), counter 0, truncated to the chaining value.
#[inline(always)]
fn compress<V: Vector>(cv: [V; 8], m: [V; 16], length: u32, flags: u32) -> [V; 8] {
    let zero = V::splat(0);
    let mut v = [
        cv[0],
        cv[1],
        cv[2],
        cv[3],
        cv[4],
        cv[5],
        cv[6],
        cv[7],
        V::splat(IV[0]),
        V::splat(IV[1]),
        V::splat(IV[2]),
        V::splat(IV[3]),
        zero,
        zero,
        V::splat(length),
        V::splat(flags),
    ];
    macro_rules! rounds {
        ($($r:literal),+) => { $(
            quarter_rounds!(v, m, SCHEDULE[$r], 0, [0, 4, 8, 12], [1, 5, 9, 13], [2, 6, 10, 14], [3, 7, 11, 15]);
            quarter_rounds!(v, m, SCHEDULE[$r], 8, [0, 5, 10, 15], [1, 6, 11, 12], [2, 7, 8, 13], [3, 4, 9, 14]);
        )+ };
    }
    rounds!(0, 1, 2, 3, 4, 5, 6);
    std::array::from_fn(|word| v[word].xor(v[word + 8]))
}

/// Two halves of a block.
#[inline(always)]
fn block<V: Vector>(low: &Row, high: &Row, group: usize) -> [V; 16] {
    std::array::from_fn(|word| {
        if word < WORDS {
            V::load(line(low, word), group)
        } else {
            V::load(line(high, word - WORDS), group)
        }
    })
}

/// header(i, layer) in all lanes.
fn header(i: u32, layer: u32) -> Row {
    let mut row = Row::ZERO;
    *line_mut(&mut row, 0) = [i; LANES];
    *line_mut(&mut row, 2) = [layer; LANES];
    row
}

#[inline(always)]
fn first_layer<V: Vector>(keys: &Row, first: u32, rows: &mut [Row]) {
    for (i, row) in (first..).zip(rows) {
        let head = header(i, 0);
        for group in 0..LANES / V::LANES {
            let m = block(&head, &Row::ZERO, group);
            let flags = KEYED | CHUNK_START | CHUNK_END | ROOT;
            store_row::<V>(compress(load_row(keys, group), m, 32, flags), row, group);
        }
    }
}

#[inline(always)]
fn run_layer<V: Vector>(
    layer: Layer<'_>,
    rows: &mut [Row],
    digests: &mut [Row],
    groups: std::ops::Range<u32>,
) {
    let mut ahead: [Parents16; 3] = [[[0; LANES]; DEGREE]; 3];
    for offset in 0..2u32 {
        let first = (groups.start + offset).wrapping_mul(16) & layer.graph.mask();
        layer
            .graph
            .parents16(first, &mut ahead[(groups.start + offset) as usize % 3]);
    }
    let mut head = header(0, layer.layer);
    for group in groups {
        let first = (group + 2).wrapping_mul(16) & layer.graph.mask();
        layer
            .graph
            .parents16(first, &mut ahead[(group as usize + 2) % 3]);
        for row in 0..16 {
            let i = group * 16 + row;
            let parents = parents_of(&ahead[group as usize % 3], row as usize);
            let far_slot = (group as usize + ((row + PREFETCH_ROWS) / 16) as usize) % 3;
            let next = parents_of(&ahead[far_slot], ((row + PREFETCH_ROWS) % 16) as usize);
            prefetch_rows::<V>(rows, next);
            *line_mut(&mut head, 0) = [i; LANES];
            label::<V>(layer, rows, i, parents, &head);
        }
        digest16::<V>(layer.layer, group, rows, &mut digests[group as usize]);
    }
}

#[inline(always)]
fn parents_of(all: &Parents16, row: usize) -> [u32; DEGREE] {
    std::array::from_fn(|d| all[d][row])
}

#[inline(always)]
fn prefetch_rows<V: Vector>(rows: &[Row], parents: [u32; DEGREE]) {
    for parent in parents {
        for word in 0..WORDS {
            V::prefetch(&rows[parent as usize], word);
        }
    }
}

/// One row of a layer: five blocks, the chain label last.
#[inline(always)]
fn label<V: Vector>(layer: Layer<'_>, rows: &mut [Row], i: u32, p: [u32; DEGREE], head: &Row) {
    let chain = layer.graph.chain_parent(i) as usize;
    let i = i as usize;
    let mut made = Row::ZERO;
    for group in 0..LANES / V::LANES {
        let row = |at: u32| &rows[at as usize];
        let blocks = [
            (head, &rows[i], KEYED | CHUNK_START),
            (row(p[0]), row(p[1]), KEYED),
            (row(p[2]), row(p[3]), KEYED),
            (row(p[4]), row(p[5]), KEYED),
            (row(p[6]), &rows[chain], KEYED | CHUNK_END | ROOT),
        ];
        let mut cv = load_row::<V>(layer.keys, group);
        for (low, high, flags) in blocks {
            cv = compress(cv, block(low, high, group), 64, flags);
        }
        store_row(cv, &mut made, group);
    }
    rows[i] = made;
}

/// One layer more in the column digests of 16 rows, one row to a lane.
#[inline(always)]
fn digest16<V: Vector>(layer: u32, group: u32, rows: &[Row], digest: &mut Row) {
    let first = group as usize * LANES;
    let rows: &[Row; LANES] = rows[first..first + LANES].try_into().expect("16 rows");
    let mut head = header(0, layer);
    for (i, word) in (group * 16..).zip(line_mut(&mut head, 0)) {
        *word = i;
    }
    let lanes = LANES / V::LANES;
    let mut state = Row::ZERO;
    for part in 0..lanes {
        let m = block::<V>(&head, digest, part);
        let cv = compress(IV.map(V::splat), m, 64, CHUNK_START);
        store_row(cv, &mut state, part);
    }
    let mut message: Block16 = [[0; LANES]; 16];
    for word in 0..WORDS {
        V::transpose(rows, word, &mut message);
        let flags = if word + 1 == WORDS {
            CHUNK_END | ROOT
        } else {
            0
        };
        for part in 0..lanes {
            let m = std::array::from_fn(|t| V::load(&message[t], part));
            let cv = compress(load_row::<V>(&state, part), m, 64, flags);
            store_row(cv, &mut state, part);
        }
    }
    *digest = state;
}

#[inline(always)]
fn compressions<V: Vector>(count: u64) -> u32 {
    let mut state = header(1, 2);
    let message = header(3, 4);
    for group in 0..LANES / V::LANES {
        let mut cv = load_row::<V>(&state, group);
        for _ in 0..count {
            cv = compress(
                cv,
                block(std::hint::black_box(&message), &message, group),
                64,
                KEYED,
            );
        }
        store_row(cv, &mut state, group);
    }
    state.0[0]
}
