//! BLAKE3's compression function, side by side in the lanes of a vector.
#![allow(
    clippy::inline_always,
    reason = "generic code must take on its entry's target features"
)]

use crate::vector::Vector;

pub(super) const IV: [u32; 8] = [
    0x6A09_E667,
    0xBB67_AE85,
    0x3C6E_F372,
    0xA54F_F53A,
    0x510E_527F,
    0x9B05_688C,
    0x1F83_D9AB,
    0x5BE0_CD19,
];
pub(super) const CHUNK_START: u32 = 1;
pub(super) const CHUNK_END: u32 = 2;
pub(super) const ROOT: u32 = 8;
pub(super) const KEYED: u32 = 16;

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
pub(super) fn compress<V: Vector>(cv: [V; 8], m: [V; 16], length: u32, flags: u32) -> [V; 8] {
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
