"""The prover's side of a commit audit: plot again, capture what the drawn rows need, open it."""

from collections.abc import Callable, Iterable, Sequence

from cybervein_protocol.errors import ProofError
from cybervein_protocol.native import native
from cybervein_protocol.space.commit import nodes_of
from cybervein_protocol.space.messages import ColumnOpening, CommitProof, PlotClaim, RowOpening
from cybervein_protocol.space.plotting import make_plot
from cybervein_protocol.space.shape import DIGEST_BYTES, ROW_BYTES
from cybervein_protocol.tree import outboard, slice_of

Progress = Callable[[int, int], None]
"""Called with (rows done, rows in all); what it raises stops the work and comes out of it."""


def prove_commit(
    miner_public_key: bytes,
    claim: PlotClaim,
    rows: Sequence[int],
    progress: Progress | None = None,
) -> CommitProof:
    """Replay the claimed plot and open the drawn rows.

    Raises ProofError where the replay gives other roots than the claim: then the claim is wrong,
    and no proof of it exists.
    """
    drawn = tuple(sorted(set(rows)))
    module = native()
    if module is None:
        kappa, gamma, columns, openings = _replay(miner_public_key, claim, drawn)
    else:
        kappa, gamma, columns, openings = module.plot_replay_commit(
            miner_public_key, claim.index, claim.b, claim.k, list(drawn), progress
        )
    if (kappa, gamma) != (claim.kappa, claim.gamma):
        raise ProofError(
            f"plot {claim.index}: replay gives gamma {gamma.hex()[:16]}…, the claim says "
            f"{claim.gamma.hex()[:16]}…; withdraw the plot and make it again"
        )
    return CommitProof(
        plot_id=claim.plot_id(miner_public_key),
        columns=[ColumnOpening(node=n, column=c, slice=s) for n, c, s in columns],
        rows=[RowOpening(row=row, slice=s) for row, s in openings],
    )


Captured = tuple[bytes, bytes, list[tuple[int, bytes, bytes]], list[tuple[int, bytes]]]
"""(kappa, gamma, [(node, column, slice)], [(row, slice)])."""


def _replay(miner_public_key: bytes, claim: PlotClaim, rows: Sequence[int]) -> Captured:
    """The replay in Python."""
    captured: dict[int, list[bytes]] = {node: [] for node in nodes_of(rows, claim.b)}

    def observe(i: int, _layer: int, row: bytes) -> None:
        if i in captured:
            captured[i].append(row)

    plot = make_plot(claim.seed(miner_public_key), claim.shape, observe)
    columns = _open(plot.columns, captured, DIGEST_BYTES)
    return (
        plot.kappa,
        plot.gamma,
        [(node, b"".join(captured[node]), encoded) for node, encoded in columns],
        _open(plot.rows, rows, ROW_BYTES),
    )


def _open(data: bytes, places: Iterable[int], width: int) -> list[tuple[int, bytes]]:
    """Slices of `data` at each place of `width` bytes."""
    tree = outboard(data)

    def read_at(start: int, length: int) -> bytes:
        return data[start : start + length]

    return [(place, slice_of(read_at, len(data), tree, place * width, width)) for place in places]
