//! The systematic Reed-Solomon code of the `zfec` package, k of n.
//!
//! Row 0 of an n x k matrix is (1, 0, …), row r > 0 is the powers of 2^(r-1); the matrix times the
//! inverse of its top k rows is the code: the identity on top, the parity rows below. Any k rows
//! can be inverted, so any k shares give the data back.

use std::sync::{Arc, Mutex, PoisonError};

use crate::error::CodingError;
use crate::field::{inverse, mul, power};
use crate::kernel::{Path, weighted_sum};

/// Bytes of every share worked on at a time, so that inputs stay in the nearest cache.
const BLOCK: usize = 4096;

/// Codes kept for the next call: a process uses a handful.
const KEPT_MAX: usize = 16;
static KEPT: Mutex<Vec<Arc<Code>>> = Mutex::new(Vec::new());

/// A code: any k of n shares give the data.
#[derive(Debug, Clone)]
pub struct Code {
    k: usize,
    n: usize,
    path: Path,
    /// n rows of k coefficients.
    rows: Vec<Vec<u8>>,
}

impl Code {
    /// The code k of n.
    ///
    /// # Errors
    /// Unless 1 <= k <= n <= 256.
    pub fn new(k: usize, n: usize) -> Result<Self, CodingError> {
        Self::with_path(k, n, Path::best())
    }

    /// The code k of n on a chosen path.
    ///
    /// # Errors
    /// Unless 1 <= k <= n <= 256.
    pub fn with_path(k: usize, n: usize, path: Path) -> Result<Self, CodingError> {
        if k == 0 || k > n || n > 256 {
            return Err(CodingError::Code { k, n });
        }
        let first = |column: usize| u8::from(column == 0);
        let mut rows = vec![(0..k).map(first).collect::<Vec<_>>()];
        rows.extend((0..n - 1).map(|row| (0..k).map(|column| power(row * column)).collect()));
        let top = invert(&rows[..k]);
        let rows = rows.iter().map(|row| times(row, &top)).collect();
        Ok(Self { k, n, path, rows })
    }

    /// As [`Code::with_path`], made once and kept: small codes cost more to make than to use.
    ///
    /// # Errors
    /// Unless 1 <= k <= n <= 256.
    pub fn shared(k: usize, n: usize, path: Path) -> Result<Arc<Self>, CodingError> {
        let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(code) = kept
            .iter()
            .find(|code| (code.k, code.n, code.path) == (k, n, path))
        {
            return Ok(Arc::clone(code));
        }
        let code = Arc::new(Self::with_path(k, n, path)?);
        if kept.len() == KEPT_MAX {
            kept.remove(0);
        }
        kept.push(Arc::clone(&code));
        Ok(code)
    }

    /// Shares needed.
    #[must_use]
    pub fn k(&self) -> usize {
        self.k
    }

    /// Shares made.
    #[must_use]
    pub fn n(&self) -> usize {
        self.n
    }

    /// The first k of the given indices: shares of the data itself come first and cost nothing.
    ///
    /// # Errors
    /// Fewer than k, repeated, or unknown indices.
    pub fn choose(&self, indices: &[usize]) -> Result<Vec<usize>, CodingError> {
        let mut sorted = indices.to_vec();
        sorted.sort_unstable();
        let repeated = sorted
            .windows(2)
            .find(|pair| pair[0] == pair[1])
            .map(|pair| pair[0]);
        if let Some(index) = repeated.or(sorted.last().copied().filter(|&last| last >= self.n)) {
            return Err(CodingError::Index { index, n: self.n });
        }
        if sorted.len() < self.k {
            return Err(CodingError::TooFew {
                expected: self.k,
                actual: sorted.len(),
            });
        }
        sorted.truncate(self.k);
        Ok(sorted)
    }

    /// The coefficients that turn the k shares at `present` into each share of `targets`.
    ///
    /// # Panics
    /// Unless `present` is as [`Code::choose`] gives it.
    #[must_use]
    pub fn coefficients(&self, present: &[usize], targets: &[usize]) -> Vec<Vec<u8>> {
        let rows: Vec<_> = present
            .iter()
            .map(|&index| self.rows[index].clone())
            .collect();
        let inverted = invert(&rows);
        targets
            .iter()
            .map(|&target| times(&self.rows[target], &inverted))
            .collect()
    }

    /// The parity shares k..n of k equally long data shares.
    pub fn encode_into(&self, data: &[&[u8]], parity: &mut [&mut [u8]]) {
        self.sum_into(&self.rows[self.k..], data, parity);
    }

    /// Each output is the sum of the inputs weighted by one row.
    pub fn sum_into(&self, rows: &[Vec<u8>], inputs: &[&[u8]], outputs: &mut [&mut [u8]]) {
        let length = inputs.first().map_or(0, |input| input.len());
        for at in (0..length).step_by(BLOCK) {
            let end = (at + BLOCK).min(length);
            let blocks: Vec<_> = inputs.iter().map(|input| &input[at..end]).collect();
            for (row, output) in rows.iter().zip(outputs.iter_mut()) {
                weighted_sum(self.path, row, &blocks, &mut output[at..end]);
            }
        }
    }
}

/// A row times a k x k matrix.
fn times(row: &[u8], matrix: &[Vec<u8>]) -> Vec<u8> {
    let cell = |column: usize| {
        row.iter()
            .zip(matrix)
            .fold(0, |sum, (&a, b)| sum ^ mul(a, b[column]))
    };
    (0..matrix.len()).map(cell).collect()
}

/// The inverse of a k x k matrix by Gauss-Jordan elimination. The code's submatrices have one.
fn invert(matrix: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let k = matrix.len();
    let identity = |row: usize| (0..k).map(move |column| u8::from(row == column));
    let mut wide: Vec<Vec<u8>> = matrix
        .iter()
        .enumerate()
        .map(|(i, row)| row.iter().copied().chain(identity(i)).collect())
        .collect();
    for column in 0..k {
        let pivot = (column..k)
            .find(|&row| wide[row][column] != 0)
            .expect("any k rows are independent");
        wide.swap(column, pivot);
        let scale = inverse(wide[column][column]);
        wide[column]
            .iter_mut()
            .for_each(|cell| *cell = mul(*cell, scale));
        let pivot_row = wide[column].clone();
        for (row, cells) in wide.iter_mut().enumerate() {
            let factor = cells[column];
            if row != column && factor != 0 {
                cells
                    .iter_mut()
                    .zip(&pivot_row)
                    .for_each(|(cell, &pivot)| *cell ^= mul(factor, pivot));
            }
        }
    }
    wide.into_iter().map(|row| row[k..].to_vec()).collect()
}
