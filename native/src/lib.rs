//! Python bindings. Each submodule binds one crate; no logic lives here.

// PyO3 hands extracted arguments over by value.
#![allow(clippy::needless_pass_by_value)]

use pyo3::prelude::*;

mod coding;
mod encoding;
mod input;
mod memory;
mod space;
mod tree;

/// The extension module `cybervein_native._native`.
#[pymodule]
fn _native(m: &Bound<'_, PyModule>) -> PyResult<()> {
    tree::register(m)?;
    space::register(m)?;
    coding::register(m)?;
    encoding::register(m)?;
    memory::register(m)?;
    Ok(())
}
