//! Labels of rows and digests of columns: what a layer consists of.
#![allow(
    clippy::inline_always,
    reason = "generic code must take on its entry's target features"
)]

use super::Layer;
use super::compress::{CHUNK_END, CHUNK_START, IV, KEYED, ROOT, compress};
use super::lanes::{block, header, line_mut, load_row, store_row};
use crate::graph::Parents16;
use crate::shape::{DEGREE, LANES, Row, WORDS};
use crate::vector::{Block16, Vector};

/// Rows between the row being hashed and the one whose parents are fetched.
const PREFETCH_ROWS: u32 = 24;

#[inline(always)]
pub(super) fn first_layer<V: Vector>(keys: &Row, first: u32, rows: &mut [Row]) {
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
pub(super) fn run_layer<V: Vector>(
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
pub(super) fn compressions<V: Vector>(count: u64) -> u32 {
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
