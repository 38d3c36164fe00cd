//! Bindings of the tree crate. What it refuses becomes `ValueError`, failed reads `OSError`.

use std::fs::File;
use std::path::PathBuf;

use cybervein_tree::extract::Window;
use cybervein_tree::{ExtractError, Outboard, extract, reader_root_and_outboard, verify};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::input::Bytes;

type RootAndOutboard<'py> = (Bound<'py, PyBytes>, Bound<'py, PyBytes>);

fn to_python<'py>(py: Python<'py>, pair: &([u8; 32], Vec<u8>)) -> RootAndOutboard<'py> {
    (PyBytes::new(py, &pair.0), PyBytes::new(py, &pair.1))
}

fn extract_error(error: ExtractError) -> PyErr {
    match error {
        ExtractError::Io(error) => PyErr::from(error),
        size @ ExtractError::OutboardSize { .. } => PyValueError::new_err(size.to_string()),
    }
}

/// Root and outboard of bytes in memory.
#[pyfunction]
fn root_and_outboard(py: Python<'_>, data: Bytes) -> RootAndOutboard<'_> {
    let pair = py.detach(|| cybervein_tree::root_and_outboard(&data));
    to_python(py, &pair)
}

/// Root and outboard of a file, read once with a fixed buffer.
#[pyfunction]
fn file_root_and_outboard(py: Python<'_>, path: PathBuf) -> PyResult<RootAndOutboard<'_>> {
    let pair = py.detach(|| reader_root_and_outboard(File::open(path)?))?;
    Ok(to_python(py, &pair))
}

/// Root and outboard of a stream.
#[pyclass(module = "cybervein_native")]
struct TreeHasher(Option<cybervein_tree::TreeHasher>);

impl TreeHasher {
    fn open(&mut self) -> PyResult<&mut cybervein_tree::TreeHasher> {
        self.0
            .as_mut()
            .ok_or_else(|| PyValueError::new_err("TreeHasher is finalized: begin a new one"))
    }
}

#[pymethods]
impl TreeHasher {
    #[new]
    fn new() -> Self {
        Self(Some(cybervein_tree::TreeHasher::new()))
    }

    /// Append bytes to the stream.
    fn update(&mut self, py: Python<'_>, data: Bytes) -> PyResult<()> {
        let hasher = self.open()?;
        py.detach(|| hasher.update(&data));
        Ok(())
    }

    /// The root and outboard; the hasher is used up.
    fn finalize<'py>(&mut self, py: Python<'py>) -> PyResult<RootAndOutboard<'py>> {
        self.open()?;
        let hasher = self.0.take().unwrap_or_default();
        Ok(to_python(py, &hasher.finalize()))
    }
}

/// Where a `SliceSource` has its outboard.
enum OutboardStore {
    Bytes(Bytes),
    File(File),
}

/// An open file with its outboard: `bytes` (kept, not copied) or the path of the outboard's file.
#[pyclass(frozen, module = "cybervein_native")]
struct SliceSource {
    data: File,
    size: u64,
    outboard: OutboardStore,
}

impl SliceSource {
    fn slice(&self, start: u64, length: u64) -> Result<Vec<u8>, ExtractError> {
        let outboard = match &self.outboard {
            OutboardStore::Bytes(bytes) => Outboard::Bytes(bytes),
            OutboardStore::File(file) => Outboard::File(file),
        };
        extract(&self.data, self.size, &outboard, start, length)
    }
}

#[pymethods]
impl SliceSource {
    #[new]
    fn new(py: Python<'_>, path: PathBuf, outboard: &Bound<'_, PyAny>) -> PyResult<Self> {
        // Opening can take as long as a dying disk likes: never with the interpreter's lock.
        let outboard = match outboard.extract::<PathBuf>() {
            Ok(path) if !outboard.is_instance_of::<PyBytes>() => {
                OutboardStore::File(py.detach(|| File::open(path))?)
            }
            _ => OutboardStore::Bytes(outboard.extract()?),
        };
        let (data, size) = py.detach(|| {
            let data = File::open(path)?;
            let size = data.metadata()?.len();
            Ok::<_, std::io::Error>((data, size))
        })?;
        Ok(Self {
            data,
            size,
            outboard,
        })
    }

    /// Bytes of the file when it was opened.
    #[getter]
    fn size(&self) -> u64 {
        self.size
    }

    /// The Bao slice of `[start, start + length)`.
    fn extract<'py>(
        &self,
        py: Python<'py>,
        start: u64,
        length: u64,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let slice = py
            .detach(|| self.slice(start, length))
            .map_err(extract_error)?;
        Ok(PyBytes::new(py, &slice))
    }
}

/// One slice of a file: opens, reads, closes.
#[pyfunction]
fn extract_slice<'py>(
    py: Python<'py>,
    path: PathBuf,
    outboard: &Bound<'py, PyAny>,
    start: u64,
    length: u64,
) -> PyResult<Bound<'py, PyBytes>> {
    SliceSource::new(py, path, outboard)?.extract(py, start, length)
}

/// Many slices in one call, on `threads` threads; a failure stands in its own place.
#[pyfunction]
#[pyo3(signature = (requests, threads = 1))]
fn extract_slices(
    py: Python<'_>,
    requests: Vec<(Py<SliceSource>, u64, u64)>,
    threads: usize,
) -> PyResult<Vec<Bound<'_, PyAny>>> {
    let part = requests.len().div_ceil(threads.max(1)).max(1);
    let slices: Vec<_> = py.detach(|| {
        std::thread::scope(|scope| {
            let run = |part: &[(Py<SliceSource>, u64, u64)]| {
                part.iter()
                    .map(|(source, start, length)| source.get().slice(*start, *length))
                    .collect::<Vec<_>>()
            };
            let workers: Vec<_> = requests
                .chunks(part)
                .map(|part| scope.spawn(move || run(part)))
                .collect();
            workers
                .into_iter()
                .flat_map(|worker| worker.join().expect("slicing does not panic"))
                .collect()
        })
    });
    let place = |slice: Result<Vec<u8>, ExtractError>| match slice {
        Ok(slice) => Ok(PyBytes::new(py, &slice).into_any()),
        Err(error) => Ok(extract_error(error)
            .into_value(py)
            .into_bound(py)
            .into_any()),
    };
    slices.into_iter().map(place).collect()
}

/// A slice out of a part of the data that holds every group the slice touches.
#[pyfunction]
fn slice_of_window(
    py: Python<'_>,
    window: Bytes,
    offset: u64,
    size: u64,
    outboard: Bytes,
    start: u64,
    length: u64,
) -> PyResult<Bound<'_, PyBytes>> {
    let slice = py.detach(|| {
        let source = Window {
            offset,
            bytes: &window,
        };
        extract(&source, size, &Outboard::Bytes(&outboard), start, length)
    });
    Ok(PyBytes::new(py, &slice.map_err(extract_error)?))
}

/// The bytes a slice proves; `ValueError` says why it proves nothing.
#[pyfunction]
#[pyo3(signature = (data, root, start, length, size = None))]
fn verify_slice(
    py: Python<'_>,
    data: Bytes,
    root: [u8; 32],
    start: u64,
    length: u64,
    size: Option<u64>,
) -> PyResult<Bound<'_, PyBytes>> {
    match py.detach(|| verify(&data, &root, start, length, size)) {
        Ok(content) => Ok(PyBytes::new(py, &content)),
        Err(error) => Err(PyValueError::new_err(error.to_string())),
    }
}

/// Add this module's functions to the extension module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<TreeHasher>()?;
    m.add_class::<SliceSource>()?;
    m.add_function(wrap_pyfunction!(root_and_outboard, m)?)?;
    m.add_function(wrap_pyfunction!(file_root_and_outboard, m)?)?;
    m.add_function(wrap_pyfunction!(extract_slice, m)?)?;
    m.add_function(wrap_pyfunction!(extract_slices, m)?)?;
    m.add_function(wrap_pyfunction!(slice_of_window, m)?)?;
    m.add_function(wrap_pyfunction!(verify_slice, m)?)?;
    Ok(())
}
