//! Bindings of the coding crate. What it refuses becomes `ValueError`, a chunk whose tag does not
//! verify its subclass `DamagedChunkError`.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use cybervein_coding::cipher::Key;
use cybervein_coding::segment::{Segment, rebuild};
use cybervein_coding::{Code, CodingError, Path, Shape};
use pyo3::create_exception;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::input::Bytes;

create_exception!(
    cybervein_native,
    DamagedChunkError,
    PyValueError,
    "A chunk whose tag does not verify."
);

type Shards<'py> = Vec<Bound<'py, PyBytes>>;
type Fill<'a, T> = dyn FnMut(&mut [&mut [u8]]) -> Result<T, CodingError> + Send + 'a;

fn refusal(error: CodingError) -> PyErr {
    match error {
        damaged @ CodingError::Damaged { .. } => DamagedChunkError::new_err(damaged.to_string()),
        other => PyValueError::new_err(other.to_string()),
    }
}

fn code_of(k: usize, n: usize, path: Option<&str>) -> PyResult<Arc<Code>> {
    let path = match path {
        None => Path::best(),
        Some(name) => Path::by_name(name).ok_or_else(|| {
            PyValueError::new_err(format!("path {name:?} cannot run on this machine"))
        })?,
    };
    Code::shared(k, n, path).map_err(refusal)
}

fn slices(parts: &BTreeMap<usize, Bytes>) -> BTreeMap<usize, &[u8]> {
    parts
        .iter()
        .map(|(&index, bytes)| (index, &**bytes))
        .collect()
}

/// `count` new `bytes` of `length` each, filled by one `fill` with the GIL released: every level of
/// the recursion owns one of them until the innermost has filled all.
fn filled<'py, T: Send>(
    py: Python<'py>,
    count: usize,
    length: usize,
    fill: &mut Fill<'_, T>,
) -> PyResult<(T, Shards<'py>)> {
    fn level<'py, T: Send>(
        py: Python<'py>,
        rest: usize,
        length: usize,
        buffers: Vec<&mut [u8]>,
        fill: &mut Fill<'_, T>,
        made: &mut Shards<'py>,
    ) -> PyResult<T> {
        if rest == 0 {
            let mut buffers = buffers;
            return py.detach(|| fill(&mut buffers)).map_err(refusal);
        }
        let mut result = None;
        let (result_of_rest, made_by_rest) = (&mut result, &mut *made);
        let bytes = PyBytes::new_with(py, length, move |buffer| {
            let mut buffers = buffers;
            buffers.push(buffer);
            *result_of_rest = Some(level(py, rest - 1, length, buffers, fill, made_by_rest)?);
            Ok(())
        })?;
        made.push(bytes);
        result.ok_or_else(|| PyValueError::new_err("not filled"))
    }
    let mut made = Vec::with_capacity(count);
    let result = level(
        py,
        count,
        length,
        Vec::with_capacity(count),
        fill,
        &mut made,
    )?;
    made.reverse();
    Ok((result, made))
}

/// The names of the paths this machine can run, best first.
#[pyfunction]
fn rs_paths() -> Vec<&'static str> {
    Path::available().into_iter().map(Path::name).collect()
}

fn equally_long(blocks: &[&[u8]]) -> PyResult<usize> {
    let expected = blocks.first().map_or(0, |block| block.len());
    match blocks
        .iter()
        .map(|block| block.len())
        .find(|&length| length != expected)
    {
        None => Ok(expected),
        Some(actual) => Err(refusal(CodingError::Length {
            what: "share",
            expected: expected as u64,
            actual: actual as u64,
        })),
    }
}

/// The n - k parity shares of k data shares.
#[pyfunction]
#[pyo3(signature = (k, n, blocks, path = None))]
fn rs_parity<'py>(
    py: Python<'py>,
    k: usize,
    n: usize,
    blocks: Vec<Bytes>,
    path: Option<&str>,
) -> PyResult<Shards<'py>> {
    let code = code_of(k, n, path)?;
    if blocks.len() != k {
        return Err(PyValueError::new_err(format!(
            "{} data shares given, expected {k}",
            blocks.len()
        )));
    }
    let data: Vec<&[u8]> = blocks.iter().map(|block| &**block).collect();
    let length = equally_long(&data)?;
    let ((), parity) = filled(py, n - k, length, &mut |parity| {
        code.encode_into(&data, parity);
        Ok(())
    })?;
    Ok(parity)
}

/// The shares `targets` out of any k shares.
#[pyfunction]
#[pyo3(signature = (k, n, shares, targets, path = None))]
fn rs_reconstruct<'py>(
    py: Python<'py>,
    k: usize,
    n: usize,
    shares: BTreeMap<usize, Bytes>,
    targets: Vec<usize>,
    path: Option<&str>,
) -> PyResult<Shards<'py>> {
    let code = code_of(k, n, path)?;
    if let Some(&index) = targets.iter().find(|&&target| target >= n) {
        return Err(refusal(CodingError::Index { index, n }));
    }
    let chosen = code
        .choose(&shares.keys().copied().collect::<Vec<_>>())
        .map_err(refusal)?;
    let inputs: Vec<&[u8]> = chosen.iter().map(|index| &*shares[index]).collect();
    let length = equally_long(&inputs)?;
    let rows = code.coefficients(&chosen, &targets);
    let ((), made) = filled(py, targets.len(), length, &mut |outputs| {
        code.sum_into(&rows, &inputs, outputs);
        Ok(())
    })?;
    Ok(made)
}

/// All n (root, masked shard) of a segment.
#[pyfunction]
#[pyo3(signature = (plaintext, file_key, salt, last, k, n, threads = 1))]
#[expect(clippy::too_many_arguments, reason = "keyword arguments in Python")]
fn encode_segment(
    py: Python<'_>,
    plaintext: Bytes,
    file_key: Key,
    salt: Key,
    last: bool,
    k: usize,
    n: usize,
    threads: usize,
) -> PyResult<Vec<(Bound<'_, PyBytes>, Bound<'_, PyBytes>)>> {
    let code = code_of(k, n, None)?;
    let shape = Shape::new(plaintext.len() as u64, k, last).map_err(refusal)?;
    let segment = Segment {
        file_key: &file_key,
        salt: &salt,
        last,
        shape,
        code: &code,
    };
    let (roots, shards) = filled(py, n, shape.shard_size(), &mut |shards| {
        Ok(segment.encode(&plaintext, shards, threads))
    })?;
    Ok(roots
        .iter()
        .map(|root| PyBytes::new(py, root))
        .zip(shards)
        .collect())
}

/// The plaintext of chunks `first..stop` from any k shards' bytes of just these chunks.
#[pyfunction]
#[pyo3(signature = (pieces, file_key, salt, size, last, k, n, first, stop, threads = 1))]
#[expect(clippy::too_many_arguments, reason = "keyword arguments in Python")]
fn decode_stripes(
    py: Python<'_>,
    pieces: BTreeMap<usize, Bytes>,
    file_key: Key,
    salt: Key,
    size: u64,
    last: bool,
    k: usize,
    n: usize,
    first: usize,
    stop: usize,
    threads: usize,
) -> PyResult<Bound<'_, PyBytes>> {
    let code = code_of(k, n, None)?;
    let shape = Shape::new(size, k, last).map_err(refusal)?;
    let segment = Segment {
        file_key: &file_key,
        salt: &salt,
        last,
        shape,
        code: &code,
    };
    let chunks = Range {
        start: first,
        end: stop,
    };
    let length = if stop > shape.chunks() {
        0
    } else {
        shape.plain_of(&chunks).len()
    };
    let pieces = slices(&pieces);
    PyBytes::new_with(py, length, |plaintext| {
        py.detach(|| segment.decode(&pieces, chunks, plaintext, threads))
            .map_err(refusal)
    })
}

/// The masked shard `target` out of any k masked shards.
#[pyfunction]
fn rebuild_shard(
    py: Python<'_>,
    repair_key: Key,
    shards: BTreeMap<usize, Bytes>,
    k: usize,
    n: usize,
    target: usize,
) -> PyResult<Bound<'_, PyBytes>> {
    let code = code_of(k, n, None)?;
    let shards = slices(&shards);
    let length = shards.values().next().map_or(0, |shard| shard.len());
    PyBytes::new_with(py, length, |rebuilt| {
        py.detach(|| rebuild(&code, &repair_key, &shards, target, rebuilt))
            .map_err(refusal)
    })
}

/// Add this module's functions to the extension module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add("DamagedChunkError", m.py().get_type::<DamagedChunkError>())?;
    m.add_function(wrap_pyfunction!(rs_paths, m)?)?;
    m.add_function(wrap_pyfunction!(rs_parity, m)?)?;
    m.add_function(wrap_pyfunction!(rs_reconstruct, m)?)?;
    m.add_function(wrap_pyfunction!(encode_segment, m)?)?;
    m.add_function(wrap_pyfunction!(decode_stripes, m)?)?;
    m.add_function(wrap_pyfunction!(rebuild_shard, m)?)?;
    Ok(())
}
