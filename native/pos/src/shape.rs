//! The shape of a plot and the bytes of a row.

use crate::Error;

/// Lanes of a row.
pub const LANES: usize = 16;
/// Words of a label.
pub const WORDS: usize = 8;
/// Bytes of a row.
pub const ROW_BYTES: usize = 512;
/// Bytes of a digest.
pub const DIGEST_BYTES: usize = 32;
/// Parents of a row in the layer below.
pub const DEGREE: usize = 7;

/// One row, word-sliced: word w of lane s is element `16 w + s`. Also used for 16 column digests
/// (lane = row modulo 16) and for the 16 lane keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C, align(64))]
pub struct Row(pub [u32; LANES * WORDS]);

impl Row {
    /// All zero.
    pub const ZERO: Self = Self([0; LANES * WORDS]);

    /// The row's bytes in file order.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        bytemuck::bytes_of(self)
    }

    /// A row of 512 bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; ROW_BYTES]) -> Self {
        bytemuck::pod_read_unaligned(bytes)
    }

    /// The 32 bytes of one lane.
    #[must_use]
    pub fn lane(&self, lane: usize) -> [u8; DIGEST_BYTES] {
        let mut label = [0; DIGEST_BYTES];
        for (word, out) in label.chunks_exact_mut(4).enumerate() {
            out.copy_from_slice(&self.0[LANES * word + lane].to_le_bytes());
        }
        label
    }

    /// Set the 32 bytes of one lane.
    pub fn set_lane(&mut self, lane: usize, label: &[u8; DIGEST_BYTES]) {
        for (word, bytes) in label.as_chunks::<4>().0.iter().enumerate() {
            self.0[LANES * word + lane] = u32::from_le_bytes(*bytes);
        }
    }
}

/// b = log2 of the rows, k = layers above layer 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// log2 of the number of rows.
    pub b: u8,
    /// Layers.
    pub k: u8,
}

impl Shape {
    /// A shape within the limits.
    ///
    /// # Errors
    /// [`Error::Shape`] out of bounds.
    pub fn new(b: u8, k: u8) -> Result<Self, Error> {
        bound("b", b, 4, 32)?;
        bound("k", k, 1, 64)?;
        Ok(Self { b, k })
    }

    /// n = 2^b.
    #[must_use]
    pub fn rows(self) -> u64 {
        1 << self.b
    }

    /// Size of the plot file.
    #[must_use]
    pub fn plot_bytes(self) -> u64 {
        (ROW_BYTES as u64) << self.b
    }

    /// Size of the column file.
    #[must_use]
    pub fn column_file_bytes(self) -> u64 {
        (DIGEST_BYTES as u64) << self.b
    }

    /// Bytes of one column.
    #[must_use]
    pub fn column_bytes(self) -> usize {
        ROW_BYTES * usize::from(self.k)
    }
}

fn bound(name: &'static str, value: u8, min: u8, max: u8) -> Result<(), Error> {
    if (min..=max).contains(&value) {
        return Ok(());
    }
    Err(Error::Shape {
        name,
        value: value.into(),
        min: min.into(),
        max: max.into(),
    })
}
