//! Keys, AES-256-GCM of chunks and AES-256-CTR masks of shards.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{AES_256, EncryptingKey, EncryptionContext, UnboundCipherKey};

use crate::layout::TAG;

/// A 256-bit key, or a salt.
pub type Key = [u8; 32];

const DATA_CONTEXT: &str = "cybervein 2026-11 data key";
const REPAIR_CONTEXT: &str = "cybervein 2026-11 repair key";
const MASK_CONTEXT: &str = "cybervein 2026-11 shard mask";
const AES_BLOCK: usize = 16;

/// Seals the chunks of one segment.
#[must_use]
pub fn data_key(file_key: &Key, salt: &Key) -> Key {
    blake3::derive_key(DATA_CONTEXT, &[*file_key, *salt].concat())
}

/// Masks the shards of one segment; all that repair needs to know.
#[must_use]
pub fn repair_key(file_key: &Key, salt: &Key) -> Key {
    blake3::derive_key(REPAIR_CONTEXT, &[*file_key, *salt].concat())
}

/// AES-256-GCM over the chunks of one segment, whose key is used for nothing else.
pub struct ChunkCipher(LessSafeKey);

impl ChunkCipher {
    /// The cipher of a segment.
    ///
    /// # Panics
    /// Never: the key has the right length.
    #[must_use]
    pub fn new(data_key: &Key) -> Self {
        Self(LessSafeKey::new(
            UnboundKey::new(&AES_256_GCM, data_key).expect("32 bytes"),
        ))
    }

    fn nonce(chunk: u64, last: bool) -> Nonce {
        let mut nonce = [0; 12];
        nonce[..8].copy_from_slice(&chunk.to_le_bytes());
        nonce[8] = u8::from(last);
        Nonce::assume_unique_for_key(nonce)
    }

    /// Encrypt a chunk in place; the tag goes to the last 16 bytes.
    ///
    /// # Panics
    /// Never: a chunk is far below the cipher's limit.
    pub fn seal(&self, chunk: u64, last: bool, sealed: &mut [u8]) {
        let (bytes, tag) = sealed.split_at_mut(sealed.len() - TAG);
        let made = self
            .0
            .seal_in_place_separate_tag(Self::nonce(chunk, last), Aad::empty(), bytes);
        tag.copy_from_slice(made.expect("short enough").as_ref());
    }

    /// Decrypt a sealed chunk in place: its plaintext, or None where the tag does not verify.
    #[must_use]
    pub fn open<'a>(&self, chunk: u64, last: bool, sealed: &'a mut [u8]) -> Option<&'a [u8]> {
        self.0
            .open_in_place(Self::nonce(chunk, last), Aad::empty(), sealed)
            .ok()
            .map(|plain| &*plain)
    }
}

/// The AES-256-CTR stream that masks one shard.
pub struct Mask(EncryptingKey);

impl Mask {
    /// The mask of shard `index`.
    ///
    /// # Panics
    /// Never: the key has the right length.
    #[must_use]
    pub fn new(repair_key: &Key, index: u8) -> Self {
        let key = blake3::derive_key(MASK_CONTEXT, &[&repair_key[..], &[index]].concat());
        let key = UnboundCipherKey::new(&AES_256, &key).expect("32 bytes");
        Self(EncryptingKey::ctr(key).expect("AES-256 has a counter mode"))
    }

    /// Mask or unmask the shard's bytes from `offset` on.
    pub fn apply(&self, offset: usize, bytes: &mut [u8]) {
        let skipped = offset % AES_BLOCK;
        let head = bytes.len().min((AES_BLOCK - skipped) % AES_BLOCK);
        let (head, rest) = bytes.split_at_mut(head);
        if !head.is_empty() {
            let mut block = [0; AES_BLOCK];
            self.stream(offset / AES_BLOCK, &mut block);
            head.iter_mut()
                .zip(&block[skipped..])
                .for_each(|(byte, mask)| *byte ^= mask);
        }
        self.stream(offset.div_ceil(AES_BLOCK), rest);
    }

    fn stream(&self, block: usize, bytes: &mut [u8]) {
        let counter = (block as u128).to_be_bytes();
        let context = EncryptionContext::Iv128(counter.into());
        self.0
            .less_safe_encrypt(bytes, context)
            .expect("a shard is short enough");
    }
}
