//! Labelling the whole graph in memory, layer by layer, in place (the paper's Algorithm 1).

use memmap2::{Advice, MmapMut, MmapOptions};

use crate::graph::Graph;
use crate::kernel::Layer;
use crate::seed::{Digest, lane_keys};
use crate::shape::{DIGEST_BYTES, LANES, ROW_BYTES, Row, Shape};
use crate::{Error, Kernel};

/// Groups of 16 rows between two calls of the observer: 8 MiB of rows, about 15 ms.
const SEGMENT_GROUPS: u32 = 1024;

/// Told of the work as it goes; what it returns stops the plotter.
pub trait Observe {
    /// Rows are done: `done` of `total`, counting each layer's.
    ///
    /// # Errors
    /// [`Error::Cancelled`] or anything else to stop.
    fn progress(&mut self, done: u64, total: u64) -> Result<(), Error>;

    /// A layer is complete in memory.
    ///
    /// # Errors
    /// Anything, to stop.
    fn layer(&mut self, _layer: u8, _rows: &[Row]) -> Result<(), Error> {
        Ok(())
    }
}

impl<F: FnMut(u64, u64) -> Result<(), Error>> Observe for F {
    fn progress(&mut self, done: u64, total: u64) -> Result<(), Error> {
        self(done, total)
    }
}

/// Bytes of memory that plotting 2^b rows takes at most: rows, column digests, both outboards.
#[must_use]
pub fn memory_bytes(b: u8) -> u64 {
    let items = ((ROW_BYTES + DIGEST_BYTES) as u64) << b;
    items + items / 256 + (4 << 20)
}

/// A finished labelling in memory.
#[derive(Debug)]
pub struct Labelling {
    rows: Memory,
    columns: Memory,
}

impl Labelling {
    /// Label the graph of `shape` under the seed `mu`.
    ///
    /// # Errors
    /// [`Error::Memory`], and what the observer returns.
    pub fn make(
        mu: &Digest,
        shape: Shape,
        kernel: Kernel,
        observe: &mut dyn Observe,
    ) -> Result<Self, Error> {
        let count = usize::try_from(shape.rows()).expect("64-bit addresses");
        let mut rows = Memory::new(count)?;
        let mut columns = Memory::new(count / LANES)?;
        let (graph, keys) = (Graph::new(shape.b), lane_keys(mu));
        kernel.first_layer(&keys, 0, rows.rows_mut());
        let groups = u32::try_from(count / LANES).expect("b is at most 32");
        let total = shape.rows() * u64::from(shape.k);
        for l in 1..=shape.k {
            let layer = Layer {
                graph: &graph,
                keys: &keys,
                layer: l.into(),
            };
            let mut first = 0;
            while first < groups {
                let end = groups.min(first + SEGMENT_GROUPS);
                kernel.layer(layer, rows.rows_mut(), columns.rows_mut(), first..end);
                let done = shape.rows() * u64::from(l - 1) + 16 * u64::from(end);
                observe.progress(done, total)?;
                first = end;
            }
            observe.layer(l, rows.rows())?;
        }
        columns.rows_mut().iter_mut().for_each(in_file_order);
        Ok(Self { rows, columns })
    }

    /// The plot file.
    #[must_use]
    pub fn plot_file(&self) -> &[u8] {
        bytemuck::cast_slice(self.rows.rows())
    }

    /// The column file: digest after digest.
    #[must_use]
    pub fn column_file(&self) -> &[u8] {
        bytemuck::cast_slice(self.columns.rows())
    }
}

/// 16 word-sliced digests become 16 digests of 32 bytes, one after the other.
fn in_file_order(group: &mut Row) {
    let sliced = *group;
    let bytes: &mut [u8] = bytemuck::bytes_of_mut(group);
    for (lane, digest) in bytes
        .as_chunks_mut::<DIGEST_BYTES>()
        .0
        .iter_mut()
        .enumerate()
    {
        *digest = sliced.lane(lane);
    }
}

/// Zeroed pages holding rows, huge ones where the system has them: a 2 GiB plot read at random
/// would otherwise miss the processor's page table cache on every parent.
#[derive(Debug)]
struct Memory(MmapMut);

impl Memory {
    fn new(rows: usize) -> Result<Self, Error> {
        let bytes = rows * ROW_BYTES;
        let map = MmapOptions::new()
            .len(bytes)
            .map_anon()
            .map_err(|source| Error::Memory { bytes, source })?;
        // Only a hint: without huge pages plotting is slower and the same.
        #[cfg(target_os = "linux")]
        let _ = map.advise(Advice::HugePage);
        Ok(Self(map))
    }

    fn rows(&self) -> &[Row] {
        bytemuck::cast_slice(&self.0)
    }

    fn rows_mut(&mut self) -> &mut [Row] {
        bytemuck::cast_slice_mut(&mut self.0)
    }
}
