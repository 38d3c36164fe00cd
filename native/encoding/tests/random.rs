//! Any bytes end in a value or an error, and a value has one encoding: the bytes it came from.

use cybervein_encoding::{Builder, CID_BYTES, DEPTH_MAX, DecodeError, Encoder, Fault, decode};

/// A value, encoded again right away.
#[derive(Default)]
struct Again {
    nodes: usize,
}

fn written(write: impl FnOnce(&mut Encoder)) -> Vec<u8> {
    let mut encoder = Encoder::default();
    write(&mut encoder);
    encoder.as_bytes().to_vec()
}

impl Again {
    #[allow(clippy::unnecessary_wraps, reason = "the builder's type")]
    fn make(&mut self, write: impl FnOnce(&mut Encoder)) -> Result<Vec<u8>, DecodeError> {
        self.nodes += 1;
        Ok(written(write))
    }
}

impl Builder for Again {
    type Node = Vec<u8>;
    type Key = String;
    type Error = DecodeError;

    fn unsigned(&mut self, value: u64) -> Result<Vec<u8>, DecodeError> {
        self.make(|encoder| encoder.unsigned(value))
    }
    fn negative(&mut self, value: u64) -> Result<Vec<u8>, DecodeError> {
        self.make(|encoder| encoder.negative(value))
    }
    fn bytes(&mut self, value: &[u8]) -> Result<Vec<u8>, DecodeError> {
        self.make(|encoder| encoder.bytes(value))
    }
    fn text(&mut self, value: &str) -> Result<Vec<u8>, DecodeError> {
        self.make(|encoder| encoder.text(value))
    }
    fn link(&mut self, cid: &[u8]) -> Result<Vec<u8>, DecodeError> {
        self.make(|encoder| encoder.link(cid))
    }
    fn float(&mut self, value: f64) -> Result<Vec<u8>, DecodeError> {
        self.make(|encoder| encoder.float(value))
    }
    fn boolean(&mut self, value: bool) -> Result<Vec<u8>, DecodeError> {
        self.make(|encoder| encoder.boolean(value))
    }
    fn null(&mut self) -> Result<Vec<u8>, DecodeError> {
        self.make(Encoder::null)
    }
    fn key(&mut self, value: &str) -> Result<String, DecodeError> {
        Ok(value.to_owned())
    }
    fn list(&mut self, items: Vec<Vec<u8>>) -> Result<Vec<u8>, DecodeError> {
        let head = self.make(|encoder| encoder.list(items.len()))?;
        Ok([head, items.concat()].concat())
    }
    fn map(&mut self, items: Vec<(String, Vec<u8>)>) -> Result<Vec<u8>, DecodeError> {
        let mut bytes = self.make(|encoder| encoder.map(items.len()))?;
        for (key, value) in items {
            bytes.extend(written(|encoder| encoder.text(&key)));
            bytes.extend(value);
        }
        Ok(bytes)
    }
}

/// `SplitMix64`: repeatable noise.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let x = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).unwrap_or(0)
    }

    /// One value, mostly small.
    fn value(&mut self, encoder: &mut Encoder, depth: usize) {
        let number = self.next() >> self.below(64);
        match self.below(if depth < 4 { 10 } else { 7 }) {
            0 => encoder.unsigned(number),
            1 => encoder.negative(number),
            2 => encoder.bytes(&number.to_be_bytes()[..self.below(9)]),
            3 => encoder.text(&"é€x".repeat(self.below(12))),
            4 => encoder.boolean(number & 1 == 1),
            5 => encoder.float(f64::from(u32::try_from(number >> 32).unwrap_or(0)) / 3.0),
            6 => {
                let codec = [0x55, 0x71][self.below(2)];
                let mut cid = [0; CID_BYTES];
                cid[..4].copy_from_slice(&[1, codec, 0x1e, 32]);
                encoder.link(&cid);
            }
            7 => encoder.null(),
            8 => {
                let length = self.below(6);
                encoder.list(length);
                (0..length).for_each(|_| self.value(encoder, depth + 1));
            }
            _ => {
                let mut keys: Vec<String> = (0..self.below(6))
                    .map(|i| format!("{:x}", self.below(1 << (4 * i + 1))))
                    .collect();
                Encoder::sort(&mut keys, |key| key);
                keys.dedup();
                encoder.map(keys.len());
                for key in keys {
                    encoder.text(&key);
                    self.value(encoder, depth + 1);
                }
            }
        }
    }
}

/// Decoding gives back exactly the bytes, or an error; never more values than bytes.
fn check(data: &[u8]) -> Result<(), DecodeError> {
    let mut again = Again::default();
    let result = decode(data, &mut again);
    assert!(again.nodes <= data.len());
    result.map(|bytes| assert_eq!(bytes, data))
}

#[test]
fn random_bytes_never_panic() {
    let mut noise = Noise(1);
    let mut refused = 0;
    for _ in 0..300_000 {
        let length = noise.below(40);
        let data: Vec<u8> = (0..length).map(|_| noise.next().to_be_bytes()[0]).collect();
        refused += usize::from(check(&data).is_err());
    }
    assert!(refused > 200_000);
}

#[test]
fn mutated_values_come_back_equal_or_not_at_all() {
    let mut noise = Noise(2);
    for _ in 0..20_000 {
        let mut encoder = Encoder::default();
        noise.value(&mut encoder, 0);
        let data = encoder.as_bytes().to_vec();
        check(&data).expect("what was encoded decodes");
        for _ in 0..8 {
            let mut changed = data.clone();
            let at = noise.below(changed.len());
            match noise.below(3) {
                0 => changed[at] ^= 1 << noise.below(8),
                1 => changed.truncate(at),
                _ => changed.insert(at, noise.next().to_be_bytes()[0]),
            }
            let _ = check(&changed);
        }
    }
}

#[test]
fn claimed_lengths_reserve_nothing() {
    for first in [0x5b, 0x7b, 0x9b, 0xbb] {
        let mut data = vec![first];
        data.extend(u64::MAX.to_be_bytes());
        let error = check(&data.repeat(100)).expect_err("nothing is that long");
        assert!(matches!(
            error.fault,
            Fault::End | Fault::Depth | Fault::KeyKind
        ));
    }
}

#[test]
fn depth_has_a_limit() {
    let nested = |depth: usize| [vec![0x81; depth], vec![0]].concat();
    check(&nested(DEPTH_MAX)).expect("as deep as accepted");
    let fault = check(&nested(DEPTH_MAX + 1)).map_err(|error| error.fault);
    assert_eq!(fault, Err(Fault::Depth));
    assert!(check(&vec![0x81; 10_000_000]).is_err());
}
