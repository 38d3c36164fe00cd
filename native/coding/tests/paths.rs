//! Every instruction set this machine has gives the sums of the portable path, at every length and
//! alignment; the tables agree with the field.

use cybervein_coding::field::{AFFINE, MUL, NIBBLES, inverse, mul};
use cybervein_coding::kernel::weighted_sum;
use cybervein_coding::{Code, CodingError, Path};

fn bytes(seed: usize, length: usize) -> Vec<u8> {
    (0..length)
        .map(|i| (i * 31 + seed * 97 + i / 7).to_le_bytes()[0])
        .collect()
}

#[test]
fn every_path_sums_like_the_portable_one() {
    let lengths = [
        0, 1, 15, 16, 63, 64, 127, 128, 255, 256, 257, 4095, 4096, 4097, 5000,
    ];
    for path in Path::available() {
        for inputs in [1, 2, 3, 8, 21] {
            for length in lengths {
                let coefficients = bytes(inputs, inputs);
                for shift in [0, 1, 3] {
                    let data: Vec<_> = (0..inputs).map(|i| bytes(i, length + shift)).collect();
                    let parts: Vec<_> = data.iter().map(|block| &block[shift..]).collect();
                    let (mut want, mut got) = (vec![1; length], vec![2; length]);
                    weighted_sum(Path::Portable, &coefficients, &parts, &mut want);
                    weighted_sum(path, &coefficients, &parts, &mut got);
                    assert_eq!(
                        got, want,
                        "{path:?}, {inputs} inputs of {length} bytes, shift {shift}"
                    );
                }
            }
        }
    }
}

#[test]
fn every_path_multiplies_every_pair() {
    let all: Vec<u8> = (0..=255).collect();
    for path in Path::available() {
        for coefficient in 0..=255 {
            let mut products = vec![0; 256];
            weighted_sum(path, &[coefficient], &[&all], &mut products);
            assert_eq!(
                products,
                MUL[usize::from(coefficient)],
                "{path:?}, coefficient {coefficient}"
            );
        }
    }
}

#[test]
fn the_tables_agree_with_multiplication_by_shifts() {
    let slow = |a: u8, b: u8| {
        let shifted = (0..8).scan(u16::from(a), |value, _| {
            let now = *value;
            *value = if now & 0x80 == 0 {
                now << 1
            } else {
                (now << 1) ^ 0x11d
            };
            Some(now)
        });
        shifted
            .enumerate()
            .filter(|(i, _)| b >> i & 1 == 1)
            .fold(0, |sum, (_, value)| sum ^ value)
            .to_le_bytes()[0]
    };
    for a in 0..=255 {
        let row = usize::from(a);
        for b in 0..=255 {
            assert_eq!(mul(a, b), slow(a, b), "{a} * {b}");
            assert_eq!(
                NIBBLES[row][usize::from(b & 15)] ^ NIBBLES[row][16 + usize::from(b >> 4)],
                slow(a, b)
            );
        }
        if a != 0 {
            assert_eq!(mul(a, inverse(a)), 1, "inverse of {a}");
            assert_ne!(AFFINE[row], 0);
        }
    }
}

#[test]
fn any_k_shares_of_a_wide_code_give_the_data() {
    let (k, n, length) = (20, 40, 700);
    let code = Code::new(k, n).unwrap();
    let data: Vec<_> = (0..k).map(|i| bytes(i, length)).collect();
    let inputs: Vec<_> = data.iter().map(|block| &block[..]).collect();
    let mut parity = vec![vec![0; length]; n - k];
    let mut outputs: Vec<_> = parity.iter_mut().map(|block| &mut block[..]).collect();
    code.encode_into(&inputs, &mut outputs);
    let shares = [data.clone(), parity].concat();
    for first in 0..=n - k {
        let chosen: Vec<_> = (first..first + k).collect();
        let rows = code.coefficients(&chosen, &(0..k).collect::<Vec<_>>());
        let inputs: Vec<_> = chosen.iter().map(|&index| &shares[index][..]).collect();
        let mut back = vec![vec![0; length]; k];
        let mut outputs: Vec<_> = back.iter_mut().map(|block| &mut block[..]).collect();
        code.sum_into(&rows, &inputs, &mut outputs);
        assert_eq!(back, data, "shares {first} to {}", first + k);
    }
}

#[test]
fn what_is_no_code_or_no_share_is_refused() {
    for (k, n) in [(0, 1), (2, 1), (1, 257)] {
        assert_eq!(Code::new(k, n).unwrap_err(), CodingError::Code { k, n });
    }
    let code = Code::new(2, 4).unwrap();
    assert_eq!(
        code.choose(&[3]).unwrap_err(),
        CodingError::TooFew {
            expected: 2,
            actual: 1
        }
    );
    assert_eq!(
        code.choose(&[3, 3]).unwrap_err(),
        CodingError::Index { index: 3, n: 4 }
    );
    assert_eq!(
        code.choose(&[3, 4]).unwrap_err(),
        CodingError::Index { index: 4, n: 4 }
    );
    assert_eq!(code.choose(&[3, 1, 2]).unwrap(), [1, 2]);
}

#[test]
fn a_code_is_kept_and_many_codes_do_not_pile_up() {
    let first = Code::shared(3, 9, Path::best()).unwrap();
    assert!(std::sync::Arc::ptr_eq(
        &first,
        &Code::shared(3, 9, Path::best()).unwrap()
    ));
    (1..40).for_each(|n| drop(Code::shared(1, n, Path::best()).unwrap()));
    assert_eq!(
        std::sync::Arc::strong_count(&first),
        1,
        "an old code is let go"
    );
}
