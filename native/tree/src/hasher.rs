//! The root and outboard of a stream of bytes, at nearly the speed of plain BLAKE3.

use std::io::{self, Read};

use crate::node::{Cv, group_cvs, parent_cv, parent_root, subtree_cv};
use crate::shape::{CHUNK, GROUP, PARENT};

/// A finished subtree: its chaining value and the group at which it begins.
struct Subtree {
    cv: Cv,
    first_group: usize,
}

/// Hashes a stream once and keeps what later openings need: the root and the outboard.
///
/// The outboard is in order: the parent that splits between group `g - 1` and group `g` lies at
/// byte `64 * (g - 1)`. Every parent has exactly one such split, so the layout needs no traversal
/// and nothing moves while the stream grows.
#[derive(Default)]
pub struct TreeHasher {
    /// The last group, which may yet prove to be the whole tree: 1..=GROUP bytes unless empty.
    pending: Vec<u8>,
    groups: usize,
    stack: Vec<Subtree>,
    outboard: Vec<u8>,
}

impl TreeHasher {
    /// A hasher of the empty stream.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Append `bytes` to the stream.
    pub fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.pending.len() == GROUP {
                let group = std::mem::take(&mut self.pending);
                self.push_groups(&group);
            }
            if self.pending.is_empty() && bytes.len() > GROUP {
                let (groups, rest) = bytes.split_at((bytes.len() - 1) / GROUP * GROUP);
                self.push_groups(groups);
                bytes = rest;
            }
            let taken = bytes.len().min(GROUP - self.pending.len());
            self.pending.extend_from_slice(&bytes[..taken]);
            bytes = &bytes[taken..];
        }
    }

    /// The root of everything appended, and its outboard.
    #[must_use]
    pub fn finalize(mut self) -> (Cv, Vec<u8>) {
        if self.groups == 0 {
            return (*blake3::hash(&self.pending).as_bytes(), Vec::new());
        }
        let last = subtree_cv(&self.pending, (self.groups * GROUP / CHUNK) as u64);
        self.push_subtree(last);
        while self.stack.len() > 2 {
            self.merge_last_two();
        }
        let (left, right) = (&self.stack[0], &self.stack[1]);
        let root = parent_root(&left.cv, &right.cv);
        write_parent(&mut self.outboard, left, right);
        (root, self.outboard)
    }

    fn push_groups(&mut self, groups: &[u8]) {
        let mut cvs = Vec::with_capacity(groups.len() / GROUP);
        group_cvs(groups, (self.groups * GROUP / CHUNK) as u64, &mut cvs);
        for cv in cvs {
            self.push_subtree(cv);
        }
    }

    /// Merge what the earlier groups complete, then add one: merging late keeps the root unmerged.
    fn push_subtree(&mut self, cv: Cv) {
        while self.stack.len() > self.groups.count_ones() as usize {
            self.merge_last_two();
        }
        self.stack.push(Subtree {
            cv,
            first_group: self.groups,
        });
        self.groups += 1;
        self.outboard.resize((self.groups - 1) * PARENT, 0);
    }

    fn merge_last_two(&mut self) {
        let right = self.stack.pop().expect("merged only while two are there");
        let left = self
            .stack
            .last_mut()
            .expect("merged only while two are there");
        write_parent(&mut self.outboard, left, &right);
        left.cv = parent_cv(&left.cv, &right.cv);
    }
}

fn write_parent(outboard: &mut [u8], left: &Subtree, right: &Subtree) {
    let at = (right.first_group - 1) * PARENT;
    outboard[at..at + 32].copy_from_slice(&left.cv);
    outboard[at + 32..at + PARENT].copy_from_slice(&right.cv);
}

/// Root and outboard of bytes in memory.
#[must_use]
pub fn root_and_outboard(bytes: &[u8]) -> (Cv, Vec<u8>) {
    let mut hasher = TreeHasher::new();
    hasher.update(bytes);
    hasher.finalize()
}

/// Root and outboard of everything a reader gives, with one megabyte of memory.
///
/// # Errors
/// Those of the reader.
pub fn reader_root_and_outboard(mut reader: impl Read) -> io::Result<(Cv, Vec<u8>)> {
    let mut hasher = TreeHasher::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(hasher.finalize()),
            Ok(read) => hasher.update(&buffer[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
