//! Slices go both ways between this crate and the public `bao` crate, byte for byte.

use std::io::{Cursor, Read};

use bao::decode::SliceDecoder;
use bao::encode::SliceExtractor;
use cybervein_tree::extract::Window;
use cybervein_tree::{
    CHUNK, GROUP, Outboard, SliceError, TreeHasher, extract, outboard_size, root_and_outboard,
    slice_size, verify,
};

/// Every size at which the tree changes its shape, and its neighbours.
const SIZES: [usize; 24] = [
    0,
    1,
    CHUNK - 1,
    CHUNK,
    CHUNK + 1,
    2 * CHUNK,
    2 * CHUNK + 1,
    3 * CHUNK + 7,
    GROUP - 1,
    GROUP,
    GROUP + 1,
    GROUP + CHUNK,
    GROUP + CHUNK + 1,
    2 * GROUP - 1,
    2 * GROUP,
    2 * GROUP + 1,
    3 * GROUP,
    4 * GROUP + 1,
    5 * GROUP + 3 * CHUNK + 5,
    15 * GROUP,
    16 * GROUP + 1,
    17 * GROUP,
    33 * GROUP - 1,
    40 * GROUP + 2049,
];

fn input(size: usize) -> Vec<u8> {
    (0..size)
        .map(|i| u8::try_from(i % 251).expect("below 251"))
        .collect()
}

fn ranges(size: usize) -> Vec<(u64, u64)> {
    let size = size as u64;
    let mut ranges = vec![
        (0, 0),
        (0, 1),
        (0, size),
        (0, size + 5000),
        (0, u64::MAX),
        (size, 0),
        (size + 1, 10),
        (u64::MAX, 1),
    ];
    for start in [
        1,
        1023,
        1024,
        1025,
        16383,
        16384,
        16385,
        50_000,
        size / 2,
        size.saturating_sub(1),
    ] {
        for length in [0, 1, 512, 1024, 1025, 16384, 20_000, 300_000] {
            ranges.push((start, length));
        }
    }
    ranges
}

fn ours(bytes: &[u8], outboard: &[u8], start: u64, length: u64) -> Vec<u8> {
    let source = Window { offset: 0, bytes };
    extract(
        &source,
        bytes.len() as u64,
        &Outboard::Bytes(outboard),
        start,
        length,
    )
    .expect("memory does not fail")
}

#[test]
fn roots_are_plain_blake3_and_slices_are_those_of_bao() {
    for size in SIZES {
        let bytes = input(size);
        let (root, outboard) = root_and_outboard(&bytes);
        assert_eq!(root, *blake3::hash(&bytes).as_bytes(), "size {size}");
        assert_eq!(
            outboard.len() as u64,
            outboard_size(size as u64),
            "size {size}"
        );
        let (encoded, _) = bao::encode::encode(&bytes);
        for (start, length) in ranges(size) {
            let mut theirs = Vec::new();
            SliceExtractor::new(Cursor::new(&encoded), start, length)
                .read_to_end(&mut theirs)
                .unwrap();
            let slice = ours(&bytes, &outboard, start, length);
            assert_eq!(slice, theirs, "size {size}, start {start}, length {length}");
            assert_eq!(
                slice.len() as u64,
                slice_size(size as u64, start, length),
                "size {size}, {start}+{length}"
            );
        }
    }
}

#[test]
fn bao_decodes_our_slices_and_we_verify_its_own() {
    for size in SIZES {
        let bytes = input(size);
        let (root, outboard) = root_and_outboard(&bytes);
        for (start, length) in ranges(size) {
            let slice = ours(&bytes, &outboard, start, length);
            let mut theirs = Vec::new();
            SliceDecoder::new(&*slice, &root.into(), start, length)
                .read_to_end(&mut theirs)
                .unwrap();
            let content = verify(&slice, &root, start, length, Some(size as u64)).unwrap();
            assert_eq!(
                content, theirs,
                "size {size}, start {start}, length {length}"
            );
        }
    }
}

#[test]
fn streams_give_the_same_tree_however_they_are_cut() {
    let bytes = input(7 * GROUP + 123);
    let whole = root_and_outboard(&bytes);
    for step in [1, 63, 1000, CHUNK, GROUP - 1, GROUP, GROUP + 1, 5 * GROUP] {
        let mut hasher = TreeHasher::new();
        bytes.chunks(step).for_each(|part| hasher.update(part));
        assert_eq!(hasher.finalize(), whole, "step {step}");
    }
}

#[test]
fn every_flipped_bit_is_found_at_its_place() {
    let bytes = input(GROUP + 3000);
    let (root, outboard) = root_and_outboard(&bytes);
    let slice = ours(&bytes, &outboard, 9000, 9000);
    let size = Some(bytes.len() as u64);
    for byte in 0..slice.len() {
        let mut bad = slice.clone();
        bad[byte] ^= 1 << (byte % 8);
        let error = verify(&bad, &root, 9000, 9000, size).unwrap_err();
        match byte {
            0..8 => assert!(
                matches!(error, SliceError::Size { .. }),
                "byte {byte}: {error}"
            ),
            _ => assert!(
                matches!(error, SliceError::Parent { .. } | SliceError::Chunk { .. }),
                "byte {byte}: {error}"
            ),
        }
    }
}

#[test]
fn slices_of_a_wrong_length_say_so() {
    let bytes = input(3 * GROUP);
    let (root, outboard) = root_and_outboard(&bytes);
    let mut slice = ours(&bytes, &outboard, 0, 1);
    for cut in 0..slice.len() {
        let error = verify(&slice[..cut], &root, 0, 1, None).unwrap_err();
        assert!(
            matches!(error, SliceError::Truncated { .. }),
            "cut {cut}: {error}"
        );
    }
    slice.push(0);
    assert!(matches!(
        verify(&slice, &root, 0, 1, None),
        Err(SliceError::Trailing { .. })
    ));
}

#[test]
fn a_huge_claimed_size_ends_in_an_error_not_in_memory() {
    let mut slice = u64::MAX.to_le_bytes().to_vec();
    slice.resize(100_000, 7);
    let error = verify(&slice, &[0; 32], 0, u64::MAX, None).unwrap_err();
    assert!(matches!(error, SliceError::Truncated { .. }), "{error}");
}
