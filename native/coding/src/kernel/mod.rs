//! The one hot loop: a weighted sum of byte strings over GF(2^8), once per instruction set.

use std::sync::LazyLock;

#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;
#[cfg(target_arch = "x86_64")]
mod x86;

/// An implementation of the loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Path {
    /// One table look-up per byte, on any machine.
    Portable,
    /// AVX2: two byte shuffles per 32 bytes.
    Avx2,
    /// AVX-512 and GFNI: one affine instruction per 64 bytes.
    Gfni,
    /// NEON: two table look-ups per 16 bytes.
    Neon,
}

static BEST: LazyLock<Path> = LazyLock::new(|| Path::available()[0]);

impl Path {
    /// The paths this machine can run, best first.
    #[must_use]
    pub fn available() -> Vec<Self> {
        let mut paths = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("gfni")
            {
                paths.push(Self::Gfni);
            }
            if is_x86_feature_detected!("avx2") {
                paths.push(Self::Avx2);
            }
        }
        #[cfg(target_arch = "aarch64")]
        if std::arch::is_aarch64_feature_detected!("neon") {
            paths.push(Self::Neon);
        }
        paths.push(Self::Portable);
        paths
    }

    /// The path of this name ("portable", "avx2", "gfni", "neon"), if this machine can run it.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::available()
            .into_iter()
            .find(|path| path.name() == name)
    }

    /// The name that [`Path::by_name`] knows.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Avx2 => "avx2",
            Self::Gfni => "gfni",
            Self::Neon => "neon",
        }
    }

    /// The fastest path of this machine.
    #[must_use]
    pub fn best() -> Self {
        *BEST
    }
}

/// `output` = the sum of `coefficients[i] * inputs[i]`, byte by byte.
///
/// # Panics
/// Where the inputs are not as long as the output or as many as the coefficients, and where the
/// machine lacks the instructions of `path`.
pub fn weighted_sum(path: Path, coefficients: &[u8], inputs: &[&[u8]], output: &mut [u8]) {
    assert_eq!(
        coefficients.len(),
        inputs.len(),
        "one coefficient per input"
    );
    assert!(
        inputs.iter().all(|input| input.len() == output.len()),
        "inputs as long as the output"
    );
    match path {
        #[cfg(target_arch = "x86_64")]
        Path::Gfni => x86::gfni(coefficients, inputs, output),
        #[cfg(target_arch = "x86_64")]
        Path::Avx2 => x86::avx2(coefficients, inputs, output),
        #[cfg(target_arch = "aarch64")]
        Path::Neon => neon::neon(coefficients, inputs, output),
        _ => portable::weighted_sum(coefficients, inputs, output, 0),
    }
}
