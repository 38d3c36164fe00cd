//! A segment's way from plaintext to masked shards, and back.
//!
//! Encode, per chunk: seal, cut into k leaves, add n - k parity leaves; then mask every shard and
//! hash it. Decode undoes it for any range of chunks from any k shards. Rebuild works on whole
//! shards without the data key: the code is the same at every byte, whatever the stripes.

use std::collections::BTreeMap;
use std::ops::Range;
use std::thread;

use blake3::Hasher;

use crate::cipher::{ChunkCipher, Key, Mask, data_key, repair_key};
use crate::code::Code;
use crate::error::CodingError;
use crate::layout::{STRIPE, Shape, TAG};

/// Bytes of every shard that are worked on at once when shards are rebuilt.
const BLOCK: usize = 64 * 1024;

/// What names and unlocks one segment.
pub struct Segment<'a> {
    /// The file's key.
    pub file_key: &'a Key,
    /// The segment's random salt.
    pub salt: &'a Key,
    /// Whether it is the file's last.
    pub last: bool,
    /// Sizes.
    pub shape: Shape,
    /// k of n.
    pub code: &'a Code,
}

impl Segment<'_> {
    fn masks(&self, indices: impl Iterator<Item = usize>) -> Vec<Mask> {
        let key = repair_key(self.file_key, self.salt);
        indices
            .map(|index| Mask::new(&key, index.to_le_bytes()[0]))
            .collect()
    }

    /// The last chunk of the last segment ends the file.
    fn ends_file(&self, chunk: usize) -> bool {
        self.last && chunk + 1 == self.shape.chunks()
    }

    /// Fill the n shards (each of `shape.shard_size()` bytes) and give their roots.
    ///
    /// One thread hashes what it has just written, while it is in the cache. Several write runs of
    /// chunks side by side; then they hash whole shards, for a root cannot be put together from runs.
    ///
    /// # Panics
    /// Unless there are n shards of that size.
    #[must_use]
    pub fn encode(
        &self,
        plaintext: &[u8],
        shards: &mut [&mut [u8]],
        threads: usize,
    ) -> Vec<[u8; 32]> {
        let encoder = Encoder {
            segment: self,
            plaintext,
            cipher: ChunkCipher::new(&data_key(self.file_key, self.salt)),
            masks: self.masks(0..self.code.n()),
        };
        let mut parts = split(self.shape.chunks(), threads);
        let mut rest: Vec<&mut [u8]> = shards.iter_mut().map(|shard| &mut **shard).collect();
        if parts.len() == 1 {
            let mut hashers = vec![Hasher::new(); self.code.n()];
            encoder.part(parts.remove(0), rest, &mut hashers);
            return hashers
                .iter()
                .map(|hasher| *hasher.finalize().as_bytes())
                .collect();
        }
        thread::scope(|scope| {
            for part in parts {
                let (now, later) = cut(rest, self.shape.leaves(&part).len());
                rest = later;
                let encoder = &encoder;
                scope.spawn(move || encoder.part(part, now, &mut []));
            }
        });
        roots(shards, threads)
    }

    /// The plaintext of `chunks` into `plaintext`, from any k shards' bytes of just these chunks.
    ///
    /// # Errors
    /// Too few or misfit pieces, and chunks that do not verify.
    ///
    /// # Panics
    /// Unless `plaintext` has the chunks' length.
    pub fn decode(
        &self,
        pieces: &BTreeMap<usize, &[u8]>,
        chunks: Range<usize>,
        plaintext: &mut [u8],
        threads: usize,
    ) -> Result<(), CodingError> {
        let decoder = Decoder::new(self, pieces, &chunks)?;
        let first = chunks.start;
        let mut rest = plaintext;
        thread::scope(|scope| {
            let mut workers = Vec::new();
            for part in split(chunks.len(), threads) {
                let part = part.start + first..part.end + first;
                let (now, later) = rest.split_at_mut(self.shape.plain_of(&part).len());
                rest = later;
                let decoder = &decoder;
                if part.end == chunks.end {
                    workers.push(Err(decoder.decode_part(part, now)));
                } else {
                    workers.push(Ok(scope.spawn(move || decoder.decode_part(part, now))));
                }
            }
            let done = |worker: Result<thread::ScopedJoinHandle<'_, _>, _>| match worker {
                Ok(worker) => worker.join().expect("decoding does not panic"),
                Err(result) => result,
            };
            workers.into_iter().map(done).fold(Ok(()), Result::and)
        })
    }
}

/// What all chunks of one encode share.
struct Encoder<'a> {
    segment: &'a Segment<'a>,
    plaintext: &'a [u8],
    cipher: ChunkCipher,
    masks: Vec<Mask>,
}

impl Encoder<'_> {
    /// The chunks of one part into their leaves. Hashers, where given, follow the n shards.
    fn part(&self, part: Range<usize>, mut shards: Vec<&mut [u8]>, hashers: &mut [Hasher]) {
        let (k, shape) = (self.segment.code.k(), &self.segment.shape);
        let mut stripe = vec![0; STRIPE.div_ceil(k) * k];
        for start in part.clone().step_by(k) {
            let batch = start..(start + k).min(part.end);
            let leaves = shape.leaves(&batch);
            let (mut now, later) = cut(shards, leaves.len());
            shards = later;
            for chunk in batch {
                self.chunk(chunk, leaves.start, &mut now, &mut stripe);
            }
            let mut hashers = hashers.iter_mut();
            for (bytes, mask) in now.iter_mut().zip(&self.masks) {
                mask.apply(leaves.start, bytes);
                if let Some(hasher) = hashers.next() {
                    hasher.update(bytes);
                }
            }
        }
    }

    /// One chunk's n leaves, not yet masked, into shards whose bytes begin at `base`.
    fn chunk(&self, chunk: usize, base: usize, shards: &mut [&mut [u8]], stripe: &mut [u8]) {
        let (k, shape) = (self.segment.code.k(), &self.segment.shape);
        let plain = &self.plaintext[shape.plain(chunk)];
        let leaf = shape.leaf(chunk);
        let sealed = plain.len() + TAG;
        stripe[..plain.len()].copy_from_slice(plain);
        self.cipher.seal(
            chunk as u64,
            self.segment.ends_file(chunk),
            &mut stripe[..sealed],
        );
        stripe[sealed..].fill(0);
        let data: Vec<_> = stripe.chunks(leaf.len()).take(k).collect();
        let place = leaf.start - base..leaf.end - base;
        let mut leaves: Vec<_> = shards
            .iter_mut()
            .map(|shard| &mut shard[place.clone()])
            .collect();
        leaves
            .iter_mut()
            .zip(&data)
            .for_each(|(leaf, data)| leaf.copy_from_slice(data));
        self.segment.code.encode_into(&data, &mut leaves[k..]);
    }
}

/// The first `length` bytes of every shard, and the rest.
fn cut(shards: Vec<&mut [u8]>, length: usize) -> (Vec<&mut [u8]>, Vec<&mut [u8]>) {
    shards
        .into_iter()
        .map(|shard| shard.split_at_mut(length))
        .unzip()
}

/// What all chunks of one decode share.
struct Decoder<'a> {
    segment: &'a Segment<'a>,
    cipher: ChunkCipher,
    /// Index, mask and bytes of the k shards in use.
    sources: Vec<(usize, Mask, &'a [u8])>,
    /// Data shards that are not among them, and how to make them.
    missing: Vec<usize>,
    rows: Vec<Vec<u8>>,
    base: usize,
}

impl<'a> Decoder<'a> {
    fn new(
        segment: &'a Segment<'a>,
        pieces: &BTreeMap<usize, &'a [u8]>,
        chunks: &Range<usize>,
    ) -> Result<Self, CodingError> {
        let total = segment.shape.chunks();
        if chunks.is_empty() || chunks.end > total {
            let (first, stop) = (chunks.start as u64, chunks.end as u64);
            return Err(CodingError::Range {
                first,
                stop,
                chunks: total as u64,
            });
        }
        let chosen = segment
            .code
            .choose(&pieces.keys().copied().collect::<Vec<_>>())?;
        let leaves = segment.shape.leaves(chunks);
        check_lengths(
            "piece of a shard",
            chosen.iter().map(|index| pieces[index]),
            leaves.len(),
        )?;
        let missing: Vec<_> = (0..segment.code.k())
            .filter(|index| !chosen.contains(index))
            .collect();
        let rows = segment.code.coefficients(&chosen, &missing);
        let masks = segment.masks(chosen.iter().copied());
        let sources = chosen
            .into_iter()
            .zip(masks)
            .map(|(index, mask)| (index, mask, pieces[&index]))
            .collect();
        let cipher = ChunkCipher::new(&data_key(segment.file_key, segment.salt));
        Ok(Self {
            segment,
            cipher,
            sources,
            missing,
            rows,
            base: leaves.start,
        })
    }

    fn decode_part(&self, part: Range<usize>, mut plaintext: &mut [u8]) -> Result<(), CodingError> {
        let k = self.segment.code.k();
        let mut stripe = vec![0; STRIPE.div_ceil(k) * k];
        let mut parity = vec![0; STRIPE.div_ceil(k) * self.missing.len()];
        for chunk in part {
            let leaf = self.segment.shape.leaf(chunk);
            let length = self.segment.shape.plain(chunk).len();
            self.gather(&leaf, &mut stripe[..leaf.len() * k], &mut parity);
            let ends = self.segment.ends_file(chunk);
            let plain = self
                .cipher
                .open(chunk as u64, ends, &mut stripe[..length + TAG]);
            let plain = plain.ok_or(CodingError::Damaged {
                chunk: chunk as u64,
            })?;
            let (now, later) = plaintext.split_at_mut(length);
            now.copy_from_slice(plain);
            plaintext = later;
        }
        Ok(())
    }

    /// The k data leaves of one chunk into `stripe`.
    fn gather(&self, leaf: &Range<usize>, stripe: &mut [u8], parity: &mut [u8]) {
        let mut spare = parity.chunks_mut(leaf.len());
        let mut slots: Vec<_> = stripe.chunks_mut(leaf.len()).map(Some).collect();
        let mut inputs: Vec<&[u8]> = Vec::with_capacity(self.sources.len());
        for (index, mask, bytes) in &self.sources {
            let slot = slots
                .get_mut(*index)
                .and_then(Option::take)
                .or_else(|| spare.next());
            let slot = slot.expect("a spare slot per missing leaf");
            slot.copy_from_slice(&bytes[leaf.start - self.base..leaf.end - self.base]);
            mask.apply(leaf.start, slot);
            inputs.push(slot);
        }
        let mut outputs: Vec<_> = self
            .missing
            .iter()
            .filter_map(|&index| slots[index].take())
            .collect();
        self.segment
            .code
            .sum_into(&self.rows, &inputs, &mut outputs);
    }
}

/// The masked shard `target` out of any k masked shards; the plaintext stays sealed.
///
/// # Errors
/// Too few, unknown or differently long shards.
///
/// # Panics
/// Unless `rebuilt` is as long as the shards.
pub fn rebuild(
    code: &Code,
    repair_key: &Key,
    shards: &BTreeMap<usize, &[u8]>,
    target: usize,
    rebuilt: &mut [u8],
) -> Result<(), CodingError> {
    if target >= code.n() {
        return Err(CodingError::Index {
            index: target,
            n: code.n(),
        });
    }
    let chosen = code.choose(&shards.keys().copied().collect::<Vec<_>>())?;
    check_lengths(
        "shard",
        chosen.iter().map(|index| shards[index]),
        rebuilt.len(),
    )?;
    let rows = code.coefficients(&chosen, &[target]);
    let mask = |index: usize| Mask::new(repair_key, index.to_le_bytes()[0]);
    let (masks, target_mask): (Vec<_>, _) = (
        chosen.iter().map(|&index| mask(index)).collect(),
        mask(target),
    );
    let mut scratch = vec![0; BLOCK * code.k()];
    for (number, out) in rebuilt.chunks_mut(BLOCK).enumerate() {
        let at = number * BLOCK;
        let length = out.len();
        let mut inputs: Vec<&[u8]> = Vec::with_capacity(code.k());
        for ((index, mask), block) in chosen.iter().zip(&masks).zip(scratch.chunks_mut(BLOCK)) {
            let block = &mut block[..length];
            block.copy_from_slice(&shards[index][at..at + length]);
            mask.apply(at, block);
            inputs.push(block);
        }
        code.sum_into(&rows, &inputs, &mut [&mut *out]);
        target_mask.apply(at, out);
    }
    Ok(())
}

fn check_lengths<'a>(
    what: &'static str,
    parts: impl Iterator<Item = &'a [u8]>,
    expected: usize,
) -> Result<(), CodingError> {
    let misfit = parts.map(<[u8]>::len).find(|&length| length != expected);
    let (expected, error) = (expected as u64, |actual: usize| actual as u64);
    misfit.map_or(Ok(()), |actual| {
        Err(CodingError::Length {
            what,
            expected,
            actual: error(actual),
        })
    })
}

/// `count` things in at most `threads` runs of about equal length.
fn split(count: usize, threads: usize) -> Vec<Range<usize>> {
    let step = count.div_ceil(threads.max(1));
    (0..count)
        .step_by(step)
        .map(|start| start..(start + step).min(count))
        .collect()
}

fn roots(shards: &[&mut [u8]], threads: usize) -> Vec<[u8; 32]> {
    let hash = |part: Range<usize>| {
        shards[part]
            .iter()
            .map(|shard| *blake3::hash(shard).as_bytes())
            .collect::<Vec<_>>()
    };
    thread::scope(|scope| {
        let mut parts = split(shards.len(), threads);
        let own = parts.pop().unwrap_or_default();
        let workers: Vec<_> = parts
            .into_iter()
            .map(|part| scope.spawn(move || hash(part)))
            .collect();
        let own = hash(own);
        workers
            .into_iter()
            .flat_map(|worker| worker.join().expect("hashing does not panic"))
            .chain(own)
            .collect()
    })
}
