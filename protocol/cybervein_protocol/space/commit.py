"""Proof of a commitment (Algorithm 2): that a plot's roots are of the honest labelling.

For each drawn row i the prover opens, under kappa, the columns of i, of its chain parent and of its
seven parents, each node once, and under gamma row i itself. The prover keeps no layers: it plots
again and captures what the drawn rows need.

The verifier, for each drawn row:
1. recomputes every column's digest and finds it under kappa;
2. recomputes layer 0 of the nine nodes from the seed;
3. recomputes row i at each layer from its inputs: a parent below i at the same layer, another at
   the layer before (what the in-place plotter finds in memory);
4. requires layer k of column i to be gamma's row i.
"""

from collections.abc import Sequence

from cybervein_protocol.errors import ProofError
from cybervein_protocol.native import native
from cybervein_protocol.space.columns import column_digest
from cybervein_protocol.space.graph import chain_parent, neighbours, parents
from cybervein_protocol.space.labels import Labels, first_labels, from_row, next_labels
from cybervein_protocol.space.messages import CommitProof, PlotClaim
from cybervein_protocol.space.openings import Commitment
from cybervein_protocol.space.seed import lane_keys
from cybervein_protocol.space.shape import ROW_BYTES, PlotShape

Stack = tuple[Labels, ...]
"""A node's labels at layers 0 to k."""


def nodes_of(rows: Sequence[int], b: int) -> tuple[int, ...]:
    """The nodes whose columns prove these rows, ascending, each once."""
    return tuple(sorted({node for row in rows for node in neighbours(row, b)}))


def verify_commit(
    miner_public_key: bytes, claim: PlotClaim, rows: Sequence[int], proof: CommitProof
) -> None:
    """Check a commit proof for the drawn rows. Raises ProofError naming the first defect."""
    _check_coverage(claim.plot_id(miner_public_key), claim.b, rows, proof)
    mu = claim.seed(miner_public_key)
    module = native()
    if module is None:
        _verify_in_python(mu, claim, proof)
        return
    columns = [(each.node, each.column, each.slice) for each in proof.columns]
    openings = [(each.row, each.slice) for each in proof.rows]
    try:
        module.verify_commit(mu, claim.b, claim.k, claim.kappa, claim.gamma, columns, openings)
    except ValueError as error:
        raise ProofError(str(error)) from error


def _check_coverage(expected_id: bytes, b: int, rows: Sequence[int], proof: CommitProof) -> None:
    """The proof is of this plot and opens exactly the nodes and rows that were drawn."""
    if proof.plot_id != expected_id:
        raise ProofError(
            f"commit proof: for plot {proof.plot_id.hex()[:16]}…, "
            f"expected {expected_id.hex()[:16]}…"
        )
    opened_rows = tuple(opening.row for opening in proof.rows)
    if opened_rows != tuple(sorted(set(rows))):
        raise ProofError(f"commit proof: opens rows {opened_rows}, drawn were {tuple(rows)}")
    opened = tuple(opening.node for opening in proof.columns)
    needed = nodes_of(rows, b)
    if opened != needed:
        raise ProofError(
            f"commit proof: opens {len(opened)} columns, needed are exactly the {len(needed)} of "
            "the drawn rows and their parents, ascending"
        )


def _verify_in_python(mu: bytes, claim: PlotClaim, proof: CommitProof) -> None:
    """Steps 1 to 4 over the whole proof."""
    shape, keys = claim.shape, lane_keys(mu)
    columns = {each.node: each.column for each in proof.columns}
    for each in proof.columns:
        _check_column(shape, claim.kappa, each.node, each.column, each.slice)
    stacks = {node: _stack(keys, node, column) for node, column in columns.items()}
    for opening in proof.rows:
        for layer in range(1, shape.k + 1):
            _check_label(keys, opening.row, layer, shape, stacks)
        _check_row(shape, claim.gamma, opening.row, columns[opening.row], opening.slice)


def _check_column(shape: PlotShape, kappa: bytes, node: int, column: bytes, encoded: bytes) -> None:
    """Step 1."""
    what = f"commit proof, column {node}"
    if len(column) != shape.column_bytes:
        raise ProofError(f"{what}: {len(column)} bytes, expected {shape.column_bytes}")
    opened = Commitment.of_columns(kappa, shape.b).open(node, encoded, what)
    if column_digest(node, column) != opened:
        raise ProofError(f"{what}: its digest is not the one under kappa")


def _stack(keys: Sequence[bytes], node: int, column: bytes) -> Stack:
    """Step 2: layer 0 from the seed, layers 1 to k from the column."""
    rows = (column[start : start + ROW_BYTES] for start in range(0, len(column), ROW_BYTES))
    return (first_labels(keys, node), *map(from_row, rows))


def _check_label(
    keys: Sequence[bytes], i: int, layer: int, shape: PlotShape, stacks: dict[int, Stack]
) -> None:
    """Step 3 for one layer."""
    sources = (i, *parents(i, shape.b), chain_parent(i, shape.b))
    inputs = [stacks[p][layer if p < i else layer - 1] for p in sources]
    if next_labels(keys, i, layer, inputs) != stacks[i][layer]:
        raise ProofError(f"commit proof, row {i}: layer {layer} is not the hash of its inputs")


def _check_row(shape: PlotShape, gamma: bytes, row: int, column: bytes, encoded: bytes) -> None:
    """Step 4."""
    what = f"commit proof, row {row}"
    opened = Commitment.of_rows(gamma, shape.b).open(row, encoded, what)
    if column[-ROW_BYTES:] != opened:
        raise ProofError(f"{what}: layer {shape.k} of its column is not the row under gamma")
