//! Bindings of the encoding crate: Python objects straight from bytes, and back.
//!
//! Bytes that are not canonical and objects without an encoding become `ValueError`. A link is what
//! the given callable makes of a CID's bytes, and back what `bytes()` makes of the given type.

use cybervein_encoding::{Builder, DEPTH_MAX, DecodeError, Encoder, decode, is_cid};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString, PyType};

type Any<'py> = Bound<'py, PyAny>;

enum Failure {
    Encoding(DecodeError),
    Python(PyErr),
}

impl From<DecodeError> for Failure {
    fn from(error: DecodeError) -> Self {
        Self::Encoding(error)
    }
}

impl From<PyErr> for Failure {
    fn from(error: PyErr) -> Self {
        Self::Python(error)
    }
}

impl From<Failure> for PyErr {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Encoding(error) => PyValueError::new_err(error.to_string()),
            Failure::Python(error) => error,
        }
    }
}

/// Makes Python objects.
struct Objects<'a, 'py> {
    py: Python<'py>,
    link: &'a Any<'py>,
}

impl<'py> Builder for Objects<'_, 'py> {
    type Node = Any<'py>;
    type Key = Bound<'py, PyString>;
    type Error = Failure;

    fn unsigned(&mut self, value: u64) -> Result<Any<'py>, Failure> {
        Ok(value
            .into_pyobject(self.py)
            .map_err(PyErr::from)?
            .into_any())
    }
    fn negative(&mut self, value: u64) -> Result<Any<'py>, Failure> {
        let value = -1 - i128::from(value);
        Ok(value
            .into_pyobject(self.py)
            .map_err(PyErr::from)?
            .into_any())
    }
    fn bytes(&mut self, value: &[u8]) -> Result<Any<'py>, Failure> {
        Ok(PyBytes::new(self.py, value).into_any())
    }
    fn text(&mut self, value: &str) -> Result<Any<'py>, Failure> {
        Ok(PyString::new(self.py, value).into_any())
    }
    fn link(&mut self, cid: &[u8]) -> Result<Any<'py>, Failure> {
        Ok(self.link.call1((PyBytes::new(self.py, cid),))?)
    }
    fn float(&mut self, value: f64) -> Result<Any<'py>, Failure> {
        Ok(PyFloat::new(self.py, value).into_any())
    }
    fn boolean(&mut self, value: bool) -> Result<Any<'py>, Failure> {
        Ok(PyBool::new(self.py, value).to_owned().into_any())
    }
    fn null(&mut self) -> Result<Any<'py>, Failure> {
        Ok(self.py.None().into_bound(self.py))
    }
    fn key(&mut self, value: &str) -> Result<Bound<'py, PyString>, Failure> {
        Ok(PyString::new(self.py, value))
    }
    fn list(&mut self, items: Vec<Any<'py>>) -> Result<Any<'py>, Failure> {
        Ok(PyList::new(self.py, items)?.into_any())
    }
    fn map(&mut self, items: Vec<(Bound<'py, PyString>, Any<'py>)>) -> Result<Any<'py>, Failure> {
        let map = PyDict::new(self.py);
        for (key, value) in items {
            map.set_item(key, value)?;
        }
        Ok(map.into_any())
    }
}

/// The IPLD node of canonical DAG-CBOR; `ValueError` names the first defect and its byte.
#[pyfunction]
fn decode_node<'py>(data: &Bound<'py, PyBytes>, link: &Any<'py>) -> PyResult<Any<'py>> {
    let mut objects = Objects {
        py: data.py(),
        link,
    };
    Ok(decode(data.as_bytes(), &mut objects)?)
}

/// Canonical DAG-CBOR of an IPLD node; `ValueError` says what has no encoding.
#[pyfunction]
fn encode_node<'py>(
    py: Python<'py>,
    node: &Any<'py>,
    link: &Bound<'py, PyType>,
) -> PyResult<Bound<'py, PyBytes>> {
    let mut encoder = Encoder::default();
    write(&mut encoder, node, link, 0)?;
    Ok(PyBytes::new(py, encoder.as_bytes()))
}

fn write(
    encoder: &mut Encoder,
    node: &Any<'_>,
    link: &Bound<'_, PyType>,
    depth: usize,
) -> PyResult<()> {
    if let Ok(bytes) = node.cast::<PyBytes>() {
        encoder.bytes(bytes.as_bytes());
    } else if let Ok(text) = node.cast::<PyString>() {
        encoder.text(&text.to_cow()?);
    } else if let Ok(truth) = node.cast::<PyBool>() {
        encoder.boolean(truth.is_true());
    } else if node.is_instance_of::<PyInt>() {
        return write_integer(encoder, node);
    } else if node.is_none() {
        encoder.null();
    } else if let Ok(map) = node.cast::<PyDict>() {
        return write_map(encoder, map, link, deeper(depth)?);
    } else if let Ok(list) = node.cast::<PyList>() {
        let depth = deeper(depth)?;
        encoder.list(list.len());
        for item in list {
            write(encoder, &item, link, depth)?;
        }
    } else if node.is_instance(link)? {
        return write_link(encoder, node);
    } else if let Ok(float) = node.cast::<PyFloat>() {
        return write_float(encoder, float.extract()?);
    } else {
        let message = format!("a {} has no encoding", node.get_type().name()?);
        return Err(PyValueError::new_err(message));
    }
    Ok(())
}

fn deeper(depth: usize) -> PyResult<usize> {
    if depth < DEPTH_MAX {
        return Ok(depth + 1);
    }
    let message = format!("lists and maps nest too deep, at most {DEPTH_MAX} are accepted");
    Err(PyValueError::new_err(message))
}

fn write_integer(encoder: &mut Encoder, node: &Any<'_>) -> PyResult<()> {
    if let Ok(value) = node.extract::<u64>() {
        encoder.unsigned(value);
        return Ok(());
    }
    let value = node
        .extract::<i128>()
        .ok()
        .and_then(|value| u64::try_from(-1 - value).ok())
        .ok_or_else(|| PyValueError::new_err(format!("{node} does not fit 64 bits")))?;
    encoder.negative(value);
    Ok(())
}

fn write_float(encoder: &mut Encoder, value: f64) -> PyResult<()> {
    if !value.is_finite() {
        return Err(PyValueError::new_err("NaN and infinities have no encoding"));
    }
    encoder.float(value);
    Ok(())
}

fn write_link(encoder: &mut Encoder, node: &Any<'_>) -> PyResult<()> {
    let cid = node.call_method0("__bytes__")?;
    let cid = cid.cast::<PyBytes>()?.as_bytes();
    if !is_cid(cid) {
        let message = format!("{node} is not a CIDv1 of blake3-256, dag-cbor or raw");
        return Err(PyValueError::new_err(message));
    }
    encoder.link(cid);
    Ok(())
}

fn write_map(
    encoder: &mut Encoder,
    map: &Bound<'_, PyDict>,
    link: &Bound<'_, PyType>,
    depth: usize,
) -> PyResult<()> {
    let mut items = Vec::with_capacity(map.len());
    for (key, value) in map {
        let key = key
            .cast_into::<PyString>()
            .map_err(|error| PyValueError::new_err(format!("a map's key is not text ({error})")))?;
        items.push((key.to_cow()?.into_owned(), value));
    }
    Encoder::sort(&mut items, |(key, _)| key);
    encoder.map(items.len());
    for (key, value) in items {
        encoder.text(&key);
        write(encoder, &value, link, depth)?;
    }
    Ok(())
}

/// Add this module's functions to the extension module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(decode_node, m)?)?;
    m.add_function(wrap_pyfunction!(encode_node, m)?)
}
