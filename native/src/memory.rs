//! How the allocator treats large buffers.

use pyo3::prelude::*;

/// Keep up to `limit` freed bytes in the process instead of giving each large buffer back.
///
/// Segments and shards are buffers of several MiB that come and go. The C library maps and unmaps
/// each of them, and the page faults cost more than the coding. One arena that keeps what was freed
/// has them ready, bounded by what the process has in use at once. False where the C library is
/// not glibc and nothing was changed.
#[pyfunction]
fn keep_freed_memory(limit: i32) -> bool {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        /// The largest threshold that glibc accepts on 64-bit machines.
        const MMAP_THRESHOLD_MAX: i32 = 32 << 20;
        // SAFETY: mallopt only sets integers of the allocator, under the allocator's own lock.
        #[allow(unsafe_code)] // no crate wraps it
        let accepted = unsafe {
            libc::mallopt(libc::M_ARENA_MAX, 1)
                & libc::mallopt(libc::M_TRIM_THRESHOLD, limit)
                & libc::mallopt(libc::M_MMAP_THRESHOLD, MMAP_THRESHOLD_MAX)
        };
        accepted == 1
    }
    #[cfg(not(all(target_os = "linux", target_env = "gnu")))]
    {
        let _ = limit;
        false
    }
}

/// Add this module's functions to the extension module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(keep_freed_memory, m)?)
}
