//! Segments round trip through every run of chunks, on one thread and on several.

use std::collections::BTreeMap;

use cybervein_coding::cipher::{Mask, repair_key};
use cybervein_coding::layout::{CHUNK_PLAIN, SEGMENT_PLAIN};
use cybervein_coding::segment::{Segment, rebuild};
use cybervein_coding::{Code, CodingError, Shape};

const FILE_KEY: [u8; 32] = [7; 32];
const SALT: [u8; 32] = [9; 32];

fn plaintext(size: usize) -> Vec<u8> {
    (0..size).map(|i| (i % 251).to_le_bytes()[0]).collect()
}

fn encoded(code: &Code, size: usize, threads: usize) -> (Shape, Vec<[u8; 32]>, Vec<Vec<u8>>) {
    let shape = Shape::new(size as u64, code.k(), true).unwrap();
    let segment = Segment {
        file_key: &FILE_KEY,
        salt: &SALT,
        last: true,
        shape,
        code,
    };
    let mut shards = vec![vec![0; shape.shard_size()]; code.n()];
    let mut slots: Vec<_> = shards.iter_mut().map(|shard| &mut shard[..]).collect();
    let roots = segment.encode(&plaintext(size), &mut slots, threads);
    (shape, roots, shards)
}

#[test]
fn every_run_of_chunks_comes_back_from_the_last_k_shards() {
    for (k, n) in [(1, 2), (2, 6), (3, 5), (8, 21)] {
        let code = Code::new(k, n).unwrap();
        let size = 4 * CHUNK_PLAIN + 100;
        let (shape, roots, shards) = encoded(&code, size, 1);
        assert_eq!(
            (roots, shards.clone()),
            (encoded(&code, size, 3).1, encoded(&code, size, 3).2)
        );
        let segment = Segment {
            file_key: &FILE_KEY,
            salt: &SALT,
            last: true,
            shape,
            code: &code,
        };
        for first in 0..shape.chunks() {
            for stop in first + 1..=shape.chunks() {
                let leaves = shape.leaves(&(first..stop));
                let pieces: BTreeMap<_, _> = (n - k..n)
                    .map(|i| (i, &shards[i][leaves.clone()]))
                    .collect();
                let range = shape.plain_of(&(first..stop));
                let mut got = vec![0; range.len()];
                segment.decode(&pieces, first..stop, &mut got, 2).unwrap();
                assert!(
                    got == plaintext(size)[range],
                    "{k}/{n}, chunks {first}..{stop}"
                );
            }
        }
    }
}

#[test]
fn a_mask_is_one_stream_wherever_it_is_entered() {
    let mask = Mask::new(&[3; 32], 4);
    let mut whole = vec![0; 1000];
    mask.apply(0, &mut whole);
    for offset in [0, 1, 15, 16, 17, 31, 500, 999] {
        for length in [0, 1, 15, 16, 17, 100] {
            let end = (offset + length).min(whole.len());
            let mut part = vec![0; end - offset];
            mask.apply(offset, &mut part);
            assert_eq!(part, whole[offset..end], "from {offset}, {length} bytes");
        }
    }
}

#[test]
fn damage_is_found_in_its_chunk_by_every_thread() {
    let code = Code::new(2, 3).unwrap();
    let size = 6 * CHUNK_PLAIN;
    let (shape, _, mut shards) = encoded(&code, size, 1);
    shards[2][shape.leaf(4).start] ^= 1;
    let segment = Segment {
        file_key: &FILE_KEY,
        salt: &SALT,
        last: true,
        shape,
        code: &code,
    };
    for threads in [1, 2, 6, 9] {
        let pieces = BTreeMap::from([(0, &shards[0][..]), (2, &shards[2][..])]);
        let error = segment
            .decode(&pieces, 0..6, &mut vec![0; size], threads)
            .unwrap_err();
        assert_eq!(error, CodingError::Damaged { chunk: 4 });
    }
}

#[test]
fn a_rebuilt_shard_is_the_one_that_was_lost() {
    let code = Code::new(3, 7).unwrap();
    let (_, _, shards) = encoded(&code, 3 * CHUNK_PLAIN + 5, 1);
    let key = repair_key(&FILE_KEY, &SALT);
    for lost in 0..7 {
        let others: BTreeMap<_, _> = (0..7)
            .filter(|&i| i != lost)
            .skip(1)
            .map(|i| (i, &shards[i][..]))
            .collect();
        let mut rebuilt = vec![0; shards[lost].len()];
        rebuild(&code, &key, &others, lost, &mut rebuilt).unwrap();
        assert!(rebuilt == shards[lost], "shard {lost}");
    }
}

#[test]
fn shapes_that_cannot_be_are_refused() {
    let full = SEGMENT_PLAIN as u64;
    let expected = full;
    assert_eq!(
        Shape::new(full + 1, 2, true),
        Err(CodingError::TooLong {
            expected,
            actual: full + 1
        })
    );
    assert_eq!(
        Shape::new(u64::MAX, 2, true),
        Err(CodingError::TooLong {
            expected,
            actual: u64::MAX
        })
    );
    assert_eq!(
        Shape::new(full - 1, 2, false),
        Err(CodingError::NotFull {
            expected,
            actual: full - 1
        })
    );
    assert_eq!(Shape::new(full, 2, false).unwrap().chunks(), 256);
    assert_eq!(Shape::new(0, 3, true).unwrap().shard_size(), 6);
}
