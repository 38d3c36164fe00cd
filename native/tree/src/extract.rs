//! Bao slices out of data and outboard, byte for byte those of the `bao` crate.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;

use crate::node::{chunk_cvs, level_up, subtree_cv};
use crate::shape::{
    CHUNK, GROUP, GROUP_LEVEL, PARENT, chunk_bytes, chunk_count, outboard_size, root_level,
    slice_chunks, slice_size,
};

/// Groups read from the source at once.
const WINDOW_GROUPS: u64 = 16;

/// Why a slice could not be made.
#[derive(Debug)]
pub enum ExtractError {
    /// Data or outboard could not be read.
    Io(io::Error),
    /// The outboard is not that of data of this size.
    OutboardSize {
        /// Bytes that data of this size needs.
        expected: u64,
        /// Bytes that are there.
        actual: u64,
    },
}

impl From<io::Error> for ExtractError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl std::fmt::Display for ExtractError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::OutboardSize { expected, actual } => {
                write!(
                    f,
                    "outboard has {actual} bytes, expected {expected}: rebuild it from the data"
                )
            }
        }
    }
}

/// Where data or outboard bytes come from.
pub trait Source {
    /// Fill `buffer` from byte `offset` on.
    ///
    /// # Errors
    /// Those of the device, and an unexpected end.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()>;
}

impl Source for File {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.read_exact_at(buffer, offset)
    }
}

/// A part of the data, in memory, beginning at byte `offset` of the whole.
pub struct Window<'a> {
    /// First byte of the part.
    pub offset: u64,
    /// The part.
    pub bytes: &'a [u8],
}

impl Source for Window<'_> {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let from = offset
            .checked_sub(self.offset)
            .and_then(|from| usize::try_from(from).ok());
        let part = from.and_then(|from| self.bytes.get(from..from.checked_add(buffer.len())?));
        buffer.copy_from_slice(part.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

/// Where parents above the groups come from.
pub enum Outboard<'a> {
    /// The whole outboard in memory.
    Bytes(&'a [u8]),
    /// The outboard's file: a few parents are read per slice.
    File(&'a File),
}

impl Outboard<'_> {
    fn size(&self) -> io::Result<u64> {
        match self {
            Self::Bytes(bytes) => Ok(bytes.len() as u64),
            Self::File(file) => Ok(file.metadata()?.len()),
        }
    }

    fn parent(&self, split_group: u64) -> io::Result<[u8; PARENT]> {
        let mut parent = [0; PARENT];
        let offset = (split_group - 1) * PARENT as u64;
        match self {
            Self::Bytes(bytes) => Window { offset: 0, bytes }.read_at(offset, &mut parent)?,
            Self::File(file) => file.read_exact_at(&mut parent, offset)?,
        }
        Ok(parent)
    }
}

/// The Bao slice of bytes `[start, start + length)` of a source of `size` bytes.
///
/// # Errors
/// An outboard of the wrong size, and reads that fail.
pub fn extract(
    source: &impl Source,
    size: u64,
    outboard: &Outboard<'_>,
    start: u64,
    length: u64,
) -> Result<Vec<u8>, ExtractError> {
    let (expected, actual) = (outboard_size(size), outboard.size()?);
    if expected != actual {
        return Err(ExtractError::OutboardSize { expected, actual });
    }
    let chunks = slice_chunks(size, start, length);
    let mut out = Vec::new();
    let capacity = usize::try_from(slice_size(size, start, length)).map_err(io::Error::other)?;
    out.try_reserve_exact(capacity).map_err(io::Error::other)?;
    out.extend_from_slice(&size.to_le_bytes());
    let total = chunk_count(size);
    let mut walk = Walk {
        source,
        outboard,
        size,
        total,
        chunks,
        window: Vec::new(),
        window_chunks: 0..0,
        levels: Vec::new(),
        group: u64::MAX,
        out,
    };
    walk.node(root_level(total), 0)?;
    Ok(walk.out)
}

/// The pre-order walk over the nodes that touch the wanted chunks.
struct Walk<'a, S: Source> {
    source: &'a S,
    outboard: &'a Outboard<'a>,
    size: u64,
    total: u64,
    chunks: Range<u64>,
    /// Bytes of some groups, and which chunks they are.
    window: Vec<u8>,
    window_chunks: Range<u64>,
    /// Chaining values inside the present group, by level.
    levels: Vec<Vec<u8>>,
    group: u64,
    out: Vec<u8>,
}

impl<S: Source> Walk<'_, S> {
    fn node(&mut self, level: u32, index: u64) -> io::Result<()> {
        let span = index << level..(index + 1) << level;
        if span.end <= self.chunks.start || span.start >= self.chunks.end {
            return Ok(());
        }
        if level <= GROUP_LEVEL {
            self.load_group(index >> (GROUP_LEVEL - level))?;
        }
        if level == 0 {
            self.push_chunk(index);
            return Ok(());
        }
        let right = (2 * index + 1) << (level - 1);
        if right < self.total {
            let parent = self.parent(level, index, right)?;
            self.out.extend_from_slice(&parent);
        }
        self.node(level - 1, 2 * index)?;
        if right < self.total {
            self.node(level - 1, 2 * index + 1)
        } else {
            Ok(())
        }
    }

    fn parent(&self, level: u32, index: u64, right: u64) -> io::Result<[u8; PARENT]> {
        if level > GROUP_LEVEL {
            return self.outboard.parent(right >> GROUP_LEVEL);
        }
        let first = index - (self.group << (GROUP_LEVEL - level));
        let at = usize::try_from(first).expect("at most 8 pairs in a group") * PARENT;
        let mut parent = [0; PARENT];
        parent.copy_from_slice(&self.levels[level as usize - 1][at..at + PARENT]);
        Ok(parent)
    }

    fn push_chunk(&mut self, chunk: u64) {
        let bytes = self.bytes(chunk..chunk + 1);
        self.out.extend_from_slice(&self.window[bytes]);
    }

    /// Where the window holds the bytes of these chunks.
    fn bytes(&self, chunks: Range<u64>) -> Range<usize> {
        let base = self.window_chunks.start * CHUNK as u64;
        let range = chunk_bytes(self.size, &chunks);
        let place = |at: u64| usize::try_from(at - base).expect("a window is small");
        place(range.start)..place(range.end)
    }

    /// Make `group` the present one: its bytes in the window, its hashes in `levels`.
    fn load_group(&mut self, group: u64) -> io::Result<()> {
        if group == self.group {
            return Ok(());
        }
        let chunks = group << GROUP_LEVEL..((group + 1) << GROUP_LEVEL).min(self.total);
        if chunks.end > self.window_chunks.end {
            self.load_window(group)?;
        }
        let bytes = &self.window[self.bytes(chunks.clone())];
        let (whole, rest) = bytes.split_at(bytes.len() / CHUNK * CHUNK);
        let mut cvs = vec![0; whole.len() / CHUNK * 32];
        chunk_cvs(whole, chunks.start, &mut cvs);
        if !rest.is_empty() {
            cvs.extend_from_slice(&subtree_cv(rest, chunks.end - 1));
        }
        self.levels.clear();
        self.levels.push(cvs);
        while self.levels.last().is_some_and(|cvs| cvs.len() > PARENT) {
            let next = level_up(&self.levels[self.levels.len() - 1]);
            self.levels.push(next);
        }
        self.group = group;
        Ok(())
    }

    fn load_window(&mut self, group: u64) -> io::Result<()> {
        let wanted_groups = self.chunks.end.div_ceil(1 << GROUP_LEVEL);
        let end_group = (group + WINDOW_GROUPS).min(wanted_groups);
        self.window_chunks = group << GROUP_LEVEL..(end_group << GROUP_LEVEL).min(self.total);
        let bytes = chunk_bytes(self.size, &self.window_chunks);
        let length = usize::try_from(bytes.end - bytes.start).expect("a window is small");
        debug_assert!(length <= GROUP * 16, "a window is small");
        self.window.resize(length, 0);
        self.source.read_at(bytes.start, &mut self.window)
    }
}
