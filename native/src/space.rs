//! Bindings of the space crate.
//!
//! Bad values and proofs that fail become `ValueError`, refused files `OSError` with the file's name,
//! refused memory `MemoryError`, a true `cancel()` `PlotCancelled`; what `progress` raises comes out
//! of the call as it is.

use std::path::PathBuf;

use cybervein_pos::commit::{Claim, Replayed, replay, verify_openings};
use cybervein_pos::create::create;
use cybervein_pos::{Error, Kernel, Shape, challenge, plot};
use pyo3::create_exception;
use pyo3::exceptions::{PyException, PyMemoryError, PyOSError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::input::Bytes;

create_exception!(
    cybervein_native,
    PlotCancelled,
    PyException,
    "`cancel` returned true."
);

type Roots<'py> = (Bound<'py, PyBytes>, Bound<'py, PyBytes>);
type Column<'py> = (u32, Bound<'py, PyBytes>, Bound<'py, PyBytes>);
type Opened<'py> = (u32, Bound<'py, PyBytes>);

fn to_python(error: &Error) -> PyErr {
    let text = error.to_string();
    match error {
        Error::File { path, source, .. } => match source.raw_os_error() {
            Some(number) => PyOSError::new_err((number, text, path.clone())),
            None => PyOSError::new_err(text),
        },
        Error::ReadBack(_) => PyOSError::new_err(text),
        Error::Memory { .. } => PyMemoryError::new_err(text),
        Error::Cancelled => PlotCancelled::new_err(text),
        Error::Shape { .. } | Error::Kernel(..) | Error::Proof(_) => PyValueError::new_err(text),
    }
}

fn digest(bytes: &[u8], name: &str) -> PyResult<[u8; 32]> {
    let wrong = |_| PyValueError::new_err(format!("{name}: {} bytes, expected 32", bytes.len()));
    bytes.try_into().map_err(wrong)
}

/// The Python callables that watch a plotter, and what they raised.
struct Watch {
    progress: Option<Py<PyAny>>,
    cancel: Option<Py<PyAny>>,
    raised: Option<PyErr>,
}

impl Watch {
    fn new(progress: Option<Py<PyAny>>, cancel: Option<Py<PyAny>>) -> Self {
        Self {
            progress,
            cancel,
            raised: None,
        }
    }

    /// Ctrl-C, `progress(done, total)`, `cancel()`; true to stop.
    fn call(&self, done: u64, total: u64) -> PyResult<bool> {
        Python::attach(|py| {
            py.check_signals()?;
            if let Some(progress) = &self.progress {
                progress.call1(py, (done, total))?;
            }
            self.cancel
                .as_ref()
                .map_or(Ok(false), |cancel| cancel.call0(py)?.is_truthy(py))
        })
    }

    /// Run `work` without the GIL; it calls the callables now and then.
    fn run<T: Send>(
        mut self,
        py: Python<'_>,
        work: impl FnOnce(&mut dyn plot::Observe) -> Result<T, Error> + Send,
    ) -> PyResult<T> {
        let result = py.detach(|| {
            work(&mut |done, total| match self.call(done, total) {
                Ok(false) => Ok(()),
                Ok(true) => Err(Error::Cancelled),
                Err(raised) => {
                    self.raised = Some(raised);
                    Err(Error::Cancelled)
                }
            })
        });
        match self.raised {
            Some(raised) => Err(raised),
            None => result.map_err(|error| to_python(&error)),
        }
    }
}

/// Bytes of memory that plotting 2^b rows takes at most.
#[pyfunction]
fn plot_memory_bytes(b: u8) -> PyResult<u64> {
    let shape = Shape::new(b, 1).map_err(|error| to_python(&error))?;
    Ok(plot::memory_bytes(shape.b))
}

/// Names of the kernels that run on this machine, best first.
#[pyfunction]
fn plot_kernels() -> Vec<&'static str> {
    Kernel::available().into_iter().map(Kernel::name).collect()
}

/// Seconds that `count` compressions of 16 lanes take without any memory traffic.
#[pyfunction]
#[pyo3(signature = (count, kernel = None))]
fn hash_limit_seconds(py: Python<'_>, count: u64, kernel: Option<&str>) -> PyResult<f64> {
    let kernel = Kernel::choose(kernel).map_err(|error| to_python(&error))?;
    Ok(py.detach(|| {
        let start = std::time::Instant::now();
        std::hint::black_box(kernel.compressions(count));
        start.elapsed().as_secs_f64()
    }))
}

/// Make a plot file; (kappa, gamma, outboard).
#[pyfunction]
#[pyo3(signature = (path, public_key, plot_index, b, k, progress = None, cancel = None, kernel = None))]
#[allow(clippy::too_many_arguments, reason = "keyword arguments in Python")]
fn plot_create<'py>(
    py: Python<'py>,
    path: PathBuf,
    public_key: Bytes,
    plot_index: u64,
    b: u8,
    k: u8,
    progress: Option<Py<PyAny>>,
    cancel: Option<Py<PyAny>>,
    kernel: Option<&str>,
) -> PyResult<(
    Bound<'py, PyBytes>,
    Bound<'py, PyBytes>,
    Bound<'py, PyBytes>,
)> {
    let shape = Shape::new(b, k).map_err(|error| to_python(&error))?;
    let kernel = Kernel::choose(kernel).map_err(|error| to_python(&error))?;
    let key = digest(&public_key, "public key")?;
    let created = Watch::new(progress, cancel).run(py, |observe| {
        create(&path, &key, plot_index, shape, kernel, observe)
    })?;
    Ok((
        PyBytes::new(py, &created.kappa),
        PyBytes::new(py, &created.gamma),
        PyBytes::new(py, &created.outboard),
    ))
}

/// Plot in memory; (column file, plot file). For tests and benches of small plots.
#[pyfunction]
#[pyo3(signature = (mu, b, k, progress = None, cancel = None, kernel = None))]
#[allow(clippy::too_many_arguments, reason = "keyword arguments in Python")]
fn plot_in_memory<'py>(
    py: Python<'py>,
    mu: Bytes,
    b: u8,
    k: u8,
    progress: Option<Py<PyAny>>,
    cancel: Option<Py<PyAny>>,
    kernel: Option<&str>,
) -> PyResult<Roots<'py>> {
    let shape = Shape::new(b, k).map_err(|error| to_python(&error))?;
    let kernel = Kernel::choose(kernel).map_err(|error| to_python(&error))?;
    let mu = digest(&mu, "mu")?;
    let made = Watch::new(progress, cancel).run(py, |observe| {
        plot::Labelling::make(&mu, shape, kernel, observe)
    })?;
    Ok((
        PyBytes::new(py, made.column_file()),
        PyBytes::new(py, made.plot_file()),
    ))
}

/// Plot again and open rows; (kappa, gamma, [(node, column, slice)], [(row, slice)]).
#[pyfunction]
#[pyo3(signature = (public_key, plot_index, b, k, rows, progress = None, cancel = None, kernel = None))]
#[allow(clippy::too_many_arguments, reason = "keyword arguments in Python")]
#[allow(clippy::type_complexity, reason = "said in the docstring")]
fn plot_replay_commit<'py>(
    py: Python<'py>,
    public_key: Bytes,
    plot_index: u64,
    b: u8,
    k: u8,
    rows: Vec<u32>,
    progress: Option<Py<PyAny>>,
    cancel: Option<Py<PyAny>>,
    kernel: Option<&str>,
) -> PyResult<(
    Bound<'py, PyBytes>,
    Bound<'py, PyBytes>,
    Vec<Column<'py>>,
    Vec<Opened<'py>>,
)> {
    let shape = Shape::new(b, k).map_err(|error| to_python(&error))?;
    let kernel = Kernel::choose(kernel).map_err(|error| to_python(&error))?;
    let key = digest(&public_key, "public key")?;
    let Replayed {
        kappa,
        gamma,
        columns,
        rows,
    } = Watch::new(progress, cancel).run(py, |observe| {
        replay(&key, plot_index, shape, &rows, kernel, observe)
    })?;
    let columns = columns.into_iter().map(|opening| {
        let (column, slice) = (&opening.column, &opening.slice);
        (
            opening.node,
            PyBytes::new(py, column),
            PyBytes::new(py, slice),
        )
    });
    let rows = rows
        .into_iter()
        .map(|opening| (opening.row, PyBytes::new(py, &opening.slice)));
    Ok((
        PyBytes::new(py, &kappa),
        PyBytes::new(py, &gamma),
        columns.collect(),
        rows.collect(),
    ))
}

/// Check the openings of a commit proof; `ValueError` names the first defect.
#[pyfunction]
#[allow(
    clippy::too_many_arguments,
    reason = "the claim's fields and its openings"
)]
fn verify_commit(
    py: Python<'_>,
    mu: Bytes,
    b: u8,
    k: u8,
    kappa: Bytes,
    gamma: Bytes,
    columns: Vec<(u32, Bytes, Bytes)>,
    rows: Vec<(u32, Bytes)>,
) -> PyResult<()> {
    let shape = Shape::new(b, k).map_err(|error| to_python(&error))?;
    let (mu, kappa) = (digest(&mu, "mu")?, digest(&kappa, "kappa")?);
    let gamma = digest(&gamma, "gamma")?;
    let claim = Claim {
        mu: &mu,
        shape,
        kappa: &kappa,
        gamma: &gamma,
    };
    py.detach(|| {
        let columns = columns
            .iter()
            .map(|(node, column, slice)| (*node, &**column, &**slice));
        let rows = rows.iter().map(|(row, slice)| (*row, &**slice));
        verify_openings(claim, columns, rows)
    })
    .map_err(|error| to_python(&error))
}

/// The quality that a slice of the challenged row proves; `ValueError` says why it proves none.
#[pyfunction]
fn open_quality(beacon: Bytes, plot_id: Bytes, gamma: Bytes, b: u8, slice: Bytes) -> PyResult<u64> {
    let gamma = digest(&gamma, "gamma")?;
    challenge::open_quality(&beacon, &plot_id, &gamma, b, &slice).map_err(|error| to_python(&error))
}

/// Add this module's functions to the extension module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add("PlotCancelled", m.py().get_type::<PlotCancelled>())?;
    m.add_function(wrap_pyfunction!(plot_memory_bytes, m)?)?;
    m.add_function(wrap_pyfunction!(plot_kernels, m)?)?;
    m.add_function(wrap_pyfunction!(hash_limit_seconds, m)?)?;
    m.add_function(wrap_pyfunction!(plot_create, m)?)?;
    m.add_function(wrap_pyfunction!(plot_in_memory, m)?)?;
    m.add_function(wrap_pyfunction!(plot_replay_commit, m)?)?;
    m.add_function(wrap_pyfunction!(verify_commit, m)?)?;
    m.add_function(wrap_pyfunction!(open_quality, m)?)
}
