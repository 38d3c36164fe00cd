//! Rows as vectors and back: lane vectors, blocks of two rows, headers.
#![allow(
    clippy::inline_always,
    reason = "generic code must take on its entry's target features"
)]

use crate::shape::{LANES, Row, WORDS};
use crate::vector::Vector;

/// The 16 words of lane vector `w` of a row.
#[inline(always)]
pub(super) fn line(row: &Row, word: usize) -> &[u32; LANES] {
    &row.0.as_chunks::<LANES>().0[word]
}

#[inline(always)]
pub(super) fn line_mut(row: &mut Row, word: usize) -> &mut [u32; LANES] {
    &mut row.0.as_chunks_mut::<LANES>().0[word]
}

#[inline(always)]
pub(super) fn load_row<V: Vector>(row: &Row, group: usize) -> [V; WORDS] {
    std::array::from_fn(|word| V::load(line(row, word), group))
}

#[inline(always)]
pub(super) fn store_row<V: Vector>(values: [V; WORDS], row: &mut Row, group: usize) {
    for (word, value) in values.into_iter().enumerate() {
        value.store(line_mut(row, word), group);
    }
}

/// Two halves of a block.
#[inline(always)]
pub(super) fn block<V: Vector>(low: &Row, high: &Row, group: usize) -> [V; 16] {
    std::array::from_fn(|word| {
        if word < WORDS {
            V::load(line(low, word), group)
        } else {
            V::load(line(high, word - WORDS), group)
        }
    })
}

/// header(i, layer) in all lanes.
pub(super) fn header(i: u32, layer: u32) -> Row {
    let mut row = Row::ZERO;
    *line_mut(&mut row, 0) = [i; LANES];
    *line_mut(&mut row, 2) = [layer; LANES];
    row
}
