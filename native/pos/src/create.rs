//! Writing a plot file: reserve, plot, write, sync, read back, rename.
//!
//! The file under its final name is always whole: it is made under a temporary name beside it, and
//! replaces an older file only after its bytes came back from the disk with the right root.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::plot::{Labelling, Observe};
use crate::seed::{Digest, plot_seed};
use crate::{Error, Kernel, Shape};

/// Appended to the name of a plot that is not finished.
pub const PARTIAL_SUFFIX: &str = ".partial";
const WRITE_BYTES: usize = 4 << 20;

/// What a new plot commits to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created {
    /// Column root.
    pub kappa: Digest,
    /// Space root.
    pub gamma: Digest,
    /// Outboard tree of the plot file.
    pub outboard: Vec<u8>,
}

/// Make the plot `index` of `public_key` at `path`.
///
/// # Errors
/// [`Error::File`] (a full disk before any work is done), [`Error::ReadBack`], [`Error::Memory`], and
/// what the observer returns. The temporary file is removed.
pub fn create(
    path: &Path,
    public_key: &Digest,
    index: u64,
    shape: Shape,
    kernel: Kernel,
    observe: &mut dyn Observe,
) -> Result<Created, Error> {
    let partial = Partial::reserve(path, shape.plot_bytes())?;
    let mu = plot_seed(public_key, index, shape);
    let labelling = Labelling::make(&mu, shape, kernel, observe)?;
    let (kappa, _) = cybervein_tree::root_and_outboard(labelling.column_file());
    let (gamma, outboard) = cybervein_tree::root_and_outboard(labelling.plot_file());
    partial.write(labelling.plot_file())?;
    drop(labelling);
    partial.read_back(&gamma)?;
    partial.publish(path)?;
    Ok(Created {
        kappa,
        gamma,
        outboard,
    })
}

/// A temporary file, removed unless published.
struct Partial {
    path: PathBuf,
    file: File,
    published: bool,
}

impl Partial {
    fn reserve(path: &Path, bytes: u64) -> Result<Self, Error> {
        let mut name = path.as_os_str().to_owned();
        name.push(PARTIAL_SUFFIX);
        let partial = PathBuf::from(name);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(&partial)
            .map_err(at(&partial, "creating the file"))?;
        let reserved = Self {
            path: partial,
            file,
            published: false,
        };
        reserve_space(&reserved.file, bytes)
            .map_err(at(&reserved.path, "reserving space for the plot"))?;
        Ok(reserved)
    }

    fn write(&self, bytes: &[u8]) -> Result<(), Error> {
        let mut file = &self.file;
        for part in bytes.chunks(WRITE_BYTES) {
            file.write_all(part).map_err(at(&self.path, "writing"))?;
        }
        self.file.sync_all().map_err(at(&self.path, "syncing"))
    }

    /// Hash what the disk holds, not what the page cache does (as far as the system lets us).
    fn read_back(&self, gamma: &Digest) -> Result<(), Error> {
        #[cfg(target_os = "linux")]
        {
            // Only a hint: without it the check is weaker and the same.
            let _ = rustix::fs::fadvise(&self.file, 0, None, rustix::fs::Advice::DontNeed);
        }
        let mut file = File::open(&self.path).map_err(at(&self.path, "reading back"))?;
        let mut hasher = blake3::Hasher::new();
        let mut buffer = vec![0; WRITE_BYTES];
        loop {
            let read = file
                .read(&mut buffer)
                .map_err(at(&self.path, "reading back"))?;
            if read == 0 {
                break;
            }
            hasher.update(&buffer[..read]);
        }
        if hasher.finalize().as_bytes() != gamma {
            return Err(Error::ReadBack(self.path.clone()));
        }
        Ok(())
    }

    fn publish(mut self, path: &Path) -> Result<(), Error> {
        std::fs::rename(&self.path, path).map_err(at(path, "renaming the finished plot"))?;
        self.published = true;
        let parent = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty());
        let folder = parent.unwrap_or(Path::new("."));
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(at(folder, "syncing the folder"))
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.published {
            // Nothing can be done about a file that cannot be removed; the next start overwrites it.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Take the blocks now, so that a full disk is known before the work; file systems that cannot
/// reserve get a sparse file instead.
fn reserve_space(file: &File, bytes: u64) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{FallocateFlags, fallocate};
        use rustix::io::Errno;
        match fallocate(file, FallocateFlags::empty(), 0, bytes) {
            Err(Errno::OPNOTSUPP | Errno::NOSYS) => {}
            other => return other.map_err(io::Error::from),
        }
    }
    file.set_len(bytes)
}

fn at(path: &Path, what: &'static str) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::File { path, what, source }
}
