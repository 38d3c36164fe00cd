//! The generic code again, once for each set of x86-64 features.
#![allow(unsafe_code, reason = "calls across target features")]

use super::label::{compressions, first_layer, run_layer};
use super::{Kernel, Layer};
use crate::shape::Row;
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
