//! Bindings of the coding crate.

use pyo3::prelude::*;

/// Add this module's functions to the extension module.
pub fn register(_m: &Bound<'_, PyModule>) -> PyResult<()> {
    Ok(())
}
