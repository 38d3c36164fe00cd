//! Python bindings. Each submodule binds one crate; no logic lives here.

use pyo3::prelude::*;

mod coding;
mod space;
mod tree;

/// The extension module `cybervein_native._native`.
#[pymodule]
fn _native(m: &Bound<'_, PyModule>) -> PyResult<()> {
    tree::register(m)?;
    space::register(m)?;
    coding::register(m)?;
    Ok(())
}
