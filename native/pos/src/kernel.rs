//! Hashing rows: BLAKE3 over 16 lanes, generic in the vector, compiled once for each processor kind.
//!
//! [`Kernel`] names the compiled versions and picks the best this machine has; its entry functions
//! ([`Kernel::first_layer`], [`Kernel::layer`]) are the only way in. `label` says what a layer is made
//! of, `compress` is the hash, `lanes` its operands.

mod compress;
mod label;
mod lanes;
#[cfg(target_arch = "x86_64")]
mod x86;

use self::label::{compressions, first_layer, run_layer};
use crate::Error;
use crate::graph::Graph;
use crate::shape::{LANES, Row};
use crate::vector::portable::Portable;
#[cfg(target_arch = "x86_64")]
use crate::vector::sse2::Sse2;

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
