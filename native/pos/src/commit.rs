//! Proving and checking a commitment (the paper's Algorithm 2); the reasons are in
//! `cybervein_protocol.space.commit`.

use std::collections::BTreeMap;

use cybervein_tree::extract::Window;
use cybervein_tree::{Outboard, extract, root_and_outboard, verify};

use crate::graph::Graph;
use crate::plot::{Labelling, Observe};
use crate::seed::{Digest, lane_keys, plot_seed};
use crate::shape::{DIGEST_BYTES, LANES, ROW_BYTES, Row, Shape};
use crate::{Error, Kernel};

/// A node's column, opened under kappa.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnOpening {
    /// Row index.
    pub node: u32,
    /// Rows of layers 1 to k.
    pub column: Vec<u8>,
    /// Slice of its digest.
    pub slice: Vec<u8>,
}

/// A row, opened under gamma.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowOpening {
    /// Row index.
    pub row: u32,
    /// Slice of the row.
    pub slice: Vec<u8>,
}

/// What a replay gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replayed {
    /// Column root.
    pub kappa: Digest,
    /// Space root.
    pub gamma: Digest,
    /// Ascending by node.
    pub columns: Vec<ColumnOpening>,
    /// As the rows were given.
    pub rows: Vec<RowOpening>,
}

/// Captures the columns of some nodes while the plotter runs.
struct Capture<'a> {
    columns: BTreeMap<u32, Vec<u8>>,
    outer: &'a mut dyn Observe,
}

impl Observe for Capture<'_> {
    fn progress(&mut self, done: u64, total: u64) -> Result<(), Error> {
        self.outer.progress(done, total)
    }

    fn layer(&mut self, _layer: u8, rows: &[Row]) -> Result<(), Error> {
        for (&node, column) in &mut self.columns {
            column.extend_from_slice(rows[node as usize].bytes());
        }
        Ok(())
    }
}

/// Plot again and open `rows`.
///
/// # Errors
/// [`Error::Proof`] for a row outside the plot, [`Error::Memory`], and what the observer returns.
pub fn replay(
    public_key: &Digest,
    index: u64,
    shape: Shape,
    rows: &[u32],
    kernel: Kernel,
    observe: &mut dyn Observe,
) -> Result<Replayed, Error> {
    let graph = Graph::new(shape.b);
    if let Some(row) = rows.iter().find(|&&row| row > graph.mask()) {
        return Err(Error::Proof(format!(
            "row {row}: the plot has {} rows",
            shape.rows()
        )));
    }
    let nodes = rows.iter().flat_map(|&row| graph.neighbours(row));
    let columns = nodes
        .map(|node| (node, Vec::with_capacity(shape.column_bytes())))
        .collect();
    let mut capture = Capture {
        columns,
        outer: observe,
    };
    let mu = plot_seed(public_key, index, shape);
    let labelling = Labelling::make(&mu, shape, kernel, &mut capture)?;
    let file = Committed::new(labelling.column_file(), DIGEST_BYTES);
    let columns = capture.columns.into_iter().map(|(node, column)| {
        file.open(node).map(|slice| ColumnOpening {
            node,
            column,
            slice,
        })
    });
    let columns = columns.collect::<Result<_, _>>()?;
    let (kappa, file) = (file.root, Committed::new(labelling.plot_file(), ROW_BYTES));
    let rows = rows
        .iter()
        .map(|&row| file.open(row).map(|slice| RowOpening { row, slice }));
    Ok(Replayed {
        kappa,
        gamma: file.root,
        columns,
        rows: rows.collect::<Result<_, _>>()?,
    })
}

/// Bytes that are an array of items, with their tree.
struct Committed<'a> {
    bytes: &'a [u8],
    width: usize,
    root: Digest,
    outboard: Vec<u8>,
}

impl<'a> Committed<'a> {
    fn new(bytes: &'a [u8], width: usize) -> Self {
        let (root, outboard) = root_and_outboard(bytes);
        Self {
            bytes,
            width,
            root,
            outboard,
        }
    }

    fn open(&self, item: u32) -> Result<Vec<u8>, Error> {
        let window = Window {
            offset: 0,
            bytes: self.bytes,
        };
        let (size, width) = (self.bytes.len() as u64, self.width as u64);
        extract(
            &window,
            size,
            &Outboard::Bytes(&self.outboard),
            u64::from(item) * width,
            width,
        )
        .map_err(|error| Error::Proof(format!("opening item {item}: {error}")))
    }
}

/// What a plot claims.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// Its seed.
    pub mu: &'a Digest,
    /// Its shape.
    pub shape: Shape,
    /// Column root.
    pub kappa: &'a Digest,
    /// Space root.
    pub gamma: &'a Digest,
}

/// A node's rows at layers 0 to k.
type Stack = Vec<Row>;

/// Check openings: every column under kappa, every row from its inputs and under gamma.
///
/// # Errors
/// [`Error::Proof`] naming the first defect.
pub fn verify_openings<'a>(
    claim: Claim<'_>,
    columns: impl IntoIterator<Item = (u32, &'a [u8], &'a [u8])>,
    rows: impl IntoIterator<Item = (u32, &'a [u8])>,
) -> Result<(), Error> {
    let (keys, graph) = (lane_keys(claim.mu), Graph::new(claim.shape.b));
    let mut stacks: BTreeMap<u32, Stack> = BTreeMap::new();
    for (node, column, slice) in columns {
        check_column(claim, node, column, slice)?;
        stacks.insert(node, stack(&keys, node, column));
    }
    for (row, slice) in rows {
        for layer in 1..=claim.shape.k {
            check_label(&keys, &graph, row, layer, &stacks)?;
        }
        check_row(claim, row, &stacks, slice)?;
    }
    Ok(())
}

fn check_column(claim: Claim<'_>, node: u32, column: &[u8], slice: &[u8]) -> Result<(), Error> {
    let what = || format!("commit proof, column {node}");
    let (shape, width) = (claim.shape, DIGEST_BYTES as u64);
    if column.len() != shape.column_bytes() {
        let expected = shape.column_bytes();
        let text = format!("{}: {} bytes, expected {expected}", what(), column.len());
        return Err(Error::Proof(text));
    }
    let size = Some(shape.column_file_bytes());
    let opened = verify(slice, claim.kappa, u64::from(node) * width, width, size)
        .map_err(|error| Error::Proof(format!("{}: {error}", what())))?;
    if column_digest(node, column) != opened[..] {
        return Err(Error::Proof(format!(
            "{}: its digest is not the one under kappa",
            what()
        )));
    }
    Ok(())
}

/// The digest of a whole column.
fn column_digest(node: u32, column: &[u8]) -> Digest {
    let mut digest = [0; DIGEST_BYTES];
    for (row, layer) in column.chunks_exact(ROW_BYTES).zip(1..) {
        let mut hasher = blake3::Hasher::new();
        hasher
            .update(&header(node, layer))
            .update(&digest)
            .update(row);
        digest = *hasher.finalize().as_bytes();
    }
    digest
}

fn header(i: u32, layer: u32) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&i.to_le_bytes());
    bytes[8..12].copy_from_slice(&layer.to_le_bytes());
    bytes
}

fn stack(keys: &Row, node: u32, column: &[u8]) -> Stack {
    let mut first = [Row::ZERO];
    Kernel::detect().first_layer(keys, node, &mut first);
    let above = column
        .as_chunks::<ROW_BYTES>()
        .0
        .iter()
        .map(Row::from_bytes);
    first.into_iter().chain(above).collect()
}

fn check_label(
    keys: &Row,
    graph: &Graph,
    i: u32,
    layer: u8,
    stacks: &BTreeMap<u32, Stack>,
) -> Result<(), Error> {
    let layer = usize::from(layer);
    let missing = |node| Error::Proof(format!("commit proof, row {i}: column {node} is missing"));
    let mut inputs = Vec::with_capacity(9);
    for source in [i]
        .into_iter()
        .chain(graph.parents(i))
        .chain([graph.chain_parent(i)])
    {
        let stack = stacks.get(&source).ok_or_else(|| missing(source))?;
        inputs.push(&stack[if source < i { layer } else { layer - 1 }]);
    }
    let head = header(i, u32::try_from(layer).expect("k fits a byte"));
    for lane in 0..LANES {
        let mut hasher = blake3::Hasher::new_keyed(&keys.lane(lane));
        hasher.update(&head);
        for input in &inputs {
            hasher.update(&input.lane(lane));
        }
        if *hasher.finalize().as_bytes() != stacks[&i][layer].lane(lane) {
            let text =
                format!("commit proof, row {i}: layer {layer} is not the hash of its inputs");
            return Err(Error::Proof(text));
        }
    }
    Ok(())
}

fn check_row(
    claim: Claim<'_>,
    row: u32,
    stacks: &BTreeMap<u32, Stack>,
    slice: &[u8],
) -> Result<(), Error> {
    let what = || format!("commit proof, row {row}");
    let (shape, width) = (claim.shape, ROW_BYTES as u64);
    let opened = verify(
        slice,
        claim.gamma,
        u64::from(row) * width,
        width,
        Some(shape.plot_bytes()),
    )
    .map_err(|error| Error::Proof(format!("{}: {error}", what())))?;
    if stacks[&row][usize::from(shape.k)].bytes() != opened {
        let k = shape.k;
        let text = format!(
            "{}: layer {k} of its column is not the row under gamma",
            what()
        );
        return Err(Error::Proof(text));
    }
    Ok(())
}
