"""Commit proofs: honest ones pass, every kind of damage is refused with its reason."""

import msgspec
import pytest
from blake3 import blake3
from cybervein_protocol.errors import CyberVeinError, LimitError, MalformedError, ProofError
from cybervein_protocol.space import (
    CommitProof,
    Plot,
    PlotClaim,
    PlotShape,
    decode_commit_proof,
    draw_commit_challenges,
    encode_commit_proof,
    make_plot,
    plot_seed,
    prove_commit,
    verify_commit,
)
from cybervein_protocol.space.columns import column_digest
from cybervein_protocol.space.commit import nodes_of
from cybervein_protocol.space.graph import neighbours
from cybervein_protocol.space.messages import ColumnOpening, RowOpening
from cybervein_protocol.space.seed import plot_id
from cybervein_protocol.tree import outboard, slice_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

KEY = bytes(range(32))
ROWS = (0, 17, 63)

pytestmark = pytest.mark.usefixtures("native_mode")


@pytest.fixture(scope="module")
def proof(claim: PlotClaim) -> CommitProof:
    return prove_commit(KEY, claim, ROWS)


def flip(data: bytes, at: int) -> bytes:
    return data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :]


def with_column(proof: CommitProof, place: int, **fields: object) -> CommitProof:
    columns = list(proof.columns)
    columns[place] = msgspec.structs.replace(columns[place], **fields)
    return msgspec.structs.replace(proof, columns=columns)


def with_row(proof: CommitProof, place: int, **fields: object) -> CommitProof:
    rows = list(proof.rows)
    rows[place] = msgspec.structs.replace(rows[place], **fields)
    return msgspec.structs.replace(proof, rows=rows)


def test_an_honest_replay_passes(claim: PlotClaim) -> None:
    proof = prove_commit(KEY, claim, ROWS)
    verify_commit(KEY, claim, ROWS, proof)
    assert [opening.node for opening in proof.columns] == sorted(
        {node for row in ROWS for node in neighbours(row, claim.b)}
    )


@pytest.mark.parametrize("row", range(64))
def test_every_row_of_a_plot_can_be_proved(claim: PlotClaim, row: int) -> None:
    verify_commit(KEY, claim, [row], prove_commit(KEY, claim, [row]))


@pytest.mark.parametrize("k", [1, 2, 8])
def test_other_depths_pass(k: int) -> None:
    plot = make_plot(plot_seed(KEY, 0, 4, k), PlotShape(4, k))
    claim = PlotClaim(index=0, b=4, k=k, kappa=plot.kappa, gamma=plot.gamma)
    verify_commit(KEY, claim, range(16), prove_commit(KEY, claim, range(16)))


def test_a_flipped_bit_anywhere_in_a_column_is_seen(claim: PlotClaim, proof: CommitProof) -> None:
    size = len(proof.columns[0].column)
    for at in (0, 511, 512, size // 2, size - 1):
        wrong = with_column(proof, 2, column=flip(proof.columns[2].column, at))
        with pytest.raises(ProofError, match=r"column \d+: its digest is not the one under kappa"):
            verify_commit(KEY, claim, ROWS, wrong)


def test_a_flipped_bit_anywhere_in_a_slice_is_seen(claim: PlotClaim, proof: CommitProof) -> None:
    encoded = proof.columns[1].slice
    for at in range(0, len(encoded), 97):
        with pytest.raises(ProofError, match="column"):
            verify_commit(KEY, claim, ROWS, with_column(proof, 1, slice=flip(encoded, at)))
    encoded = proof.rows[1].slice
    for at in range(0, len(encoded), 97):
        with pytest.raises(ProofError, match="row 17"):
            verify_commit(KEY, claim, ROWS, with_row(proof, 1, slice=flip(encoded, at)))


@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
)
@given(data=st.data())
def test_no_damaged_encoding_verifies(
    claim: PlotClaim, proof: CommitProof, shape: PlotShape, data: st.DataObject
) -> None:
    encoded = bytearray(encode_commit_proof(proof))
    encoded[data.draw(st.integers(0, len(encoded) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(CyberVeinError):
        verify_commit(KEY, claim, ROWS, decode_commit_proof(bytes(encoded), shape, len(ROWS)))


@pytest.mark.parametrize("cut", [0, 7, 8, 100, -1])
def test_truncated_slices_are_refused(claim: PlotClaim, proof: CommitProof, cut: int) -> None:
    with pytest.raises(ProofError, match="row 0"):
        verify_commit(KEY, claim, ROWS, with_row(proof, 0, slice=proof.rows[0].slice[:cut]))
    with pytest.raises(ProofError, match="column"):
        verify_commit(KEY, claim, ROWS, with_column(proof, 0, slice=proof.columns[0].slice[:cut]))


def test_a_column_of_too_few_layers_is_refused(claim: PlotClaim, proof: CommitProof) -> None:
    short = with_column(proof, 0, column=proof.columns[0].column[:512])
    with pytest.raises(ProofError, match="512 bytes, expected 1536"):
        verify_commit(KEY, claim, ROWS, short)


def test_swapped_columns_are_refused(claim: PlotClaim, proof: CommitProof) -> None:
    swapped = list(proof.columns)
    swapped[0], swapped[1] = swapped[1], swapped[0]
    with pytest.raises(ProofError, match="needed are exactly"):
        verify_commit(KEY, claim, ROWS, msgspec.structs.replace(proof, columns=swapped))
    first = proof.columns[0]
    stolen = with_column(proof, 1, column=first.column, slice=first.slice)
    with pytest.raises(ProofError, match="column"):
        verify_commit(KEY, claim, ROWS, stolen)


def test_missing_and_superfluous_openings_are_refused(claim: PlotClaim, proof: CommitProof) -> None:
    for columns in (proof.columns[1:], [*proof.columns, proof.columns[-1]]):
        with pytest.raises(ProofError, match="needed are exactly"):
            verify_commit(KEY, claim, ROWS, msgspec.structs.replace(proof, columns=columns))
    with pytest.raises(ProofError, match="drawn were"):
        verify_commit(KEY, claim, ROWS, msgspec.structs.replace(proof, rows=proof.rows[1:]))
    with pytest.raises(ProofError, match="drawn were"):
        verify_commit(KEY, claim, (1, 2), proof)


def test_a_proof_of_another_plot_is_refused(claim: PlotClaim, proof: CommitProof) -> None:
    with pytest.raises(ProofError, match="for plot"):
        verify_commit(KEY[::-1], claim, ROWS, proof)
    with pytest.raises(ProofError, match="for plot"):
        verify_commit(KEY, msgspec.structs.replace(claim, index=6), ROWS, proof)


def test_a_claim_that_no_replay_gives_cannot_be_proved(claim: PlotClaim) -> None:
    wrong = msgspec.structs.replace(claim, gamma=bytes(32))
    with pytest.raises(ProofError, match="withdraw the plot"):
        prove_commit(KEY, wrong, ROWS)


class Cheat:
    """Commits to a labelling of its own choice and opens it as the protocol says."""

    def __init__(self, plot: Plot, shape: PlotShape, columns: dict[int, list[bytes]]) -> None:
        self.shape, self.columns, self.rows = shape, columns, plot.rows
        self.column_file = plot.columns

    def prove(self) -> tuple[PlotClaim, CommitProof]:
        claim = PlotClaim(
            index=5,
            b=self.shape.b,
            k=self.shape.k,
            kappa=blake3(self.column_file).digest(),
            gamma=blake3(self.rows).digest(),
        )

        def opened(data: bytes, place: int, width: int) -> bytes:
            return slice_of(
                lambda at, n: data[at : at + n], len(data), outboard(data), place * width, width
            )

        columns = [
            ColumnOpening(
                node=node,
                column=b"".join(self.columns[node]),
                slice=opened(self.column_file, node, 32),
            )
            for node in nodes_of(ROWS, self.shape.b)
        ]
        rows = [RowOpening(row=row, slice=opened(self.rows, row, 512)) for row in ROWS]
        identity = plot_id(claim.seed(KEY), claim.kappa, claim.gamma)
        return claim, CommitProof(plot_id=identity, columns=columns, rows=rows)


@pytest.fixture
def cheat(shape: PlotShape) -> Cheat:
    seen: dict[int, list[bytes]] = {}
    plot = make_plot(
        plot_seed(KEY, 5, shape.b, shape.k),
        shape,
        lambda i, _layer, row: seen.setdefault(i, []).append(row),
    )
    return Cheat(plot, shape, seen)


def recommit(cheat: Cheat) -> None:
    cheat.column_file = b"".join(
        column_digest(i, b"".join(rows)) for i, rows in sorted(cheat.columns.items())
    )


def test_the_cheats_honest_opening_passes(cheat: Cheat) -> None:
    claim, proof = cheat.prove()
    verify_commit(KEY, claim, ROWS, proof)


@pytest.mark.parametrize("layer", [1, 2, 3])
def test_a_committed_wrong_label_is_caught_at_its_layer(cheat: Cheat, layer: int) -> None:
    cheat.columns[17][layer - 1] = flip(cheat.columns[17][layer - 1], 40)
    recommit(cheat)
    claim, proof = cheat.prove()
    with pytest.raises(ProofError, match=f"layer {layer} is not the hash of its inputs"):
        verify_commit(KEY, claim, ROWS, proof)


def test_a_plot_file_that_is_not_the_last_layer_is_caught(cheat: Cheat) -> None:
    cheat.rows = flip(cheat.rows, 17 * 512)
    claim, proof = cheat.prove()
    with pytest.raises(ProofError, match="row 17: layer 3 of its column is not the row"):
        verify_commit(KEY, claim, ROWS, proof)


def test_encoded_proofs_come_back_damage_does_not(proof: CommitProof, shape: PlotShape) -> None:
    encoded = encode_commit_proof(proof)
    assert decode_commit_proof(encoded, shape, len(ROWS)) == proof
    with pytest.raises(MalformedError):
        decode_commit_proof(encoded[:-1], shape, len(ROWS))
    with pytest.raises(MalformedError):
        decode_commit_proof(encoded + b"\0", shape, len(ROWS))
    with pytest.raises(LimitError, match="at most"):
        decode_commit_proof(encoded, shape, 0)


def test_the_draw_takes_distinct_plots_and_changes_with_every_input() -> None:
    ids = [blake3(bytes((number,))).digest() for number in range(50)]

    def draw(beacon: bytes, batch: bytes) -> list[tuple[int, tuple[int, ...]]]:
        return draw_commit_challenges(beacon, batch, ids, max_plots=32, q=8, n=1 << 20)

    drawn = draw(b"a" * 32, b"b" * 32)
    assert len({place for place, _ in drawn}) == 32
    assert all(0 <= row < 1 << 20 for _, rows in drawn for row in rows)
    assert drawn != draw(b"c" * 32, b"b" * 32)
    assert drawn != draw(b"a" * 32, b"c" * 32)


def test_every_plot_of_a_small_batch_is_drawn() -> None:
    drawn = draw_commit_challenges(
        b"a" * 32, b"b" * 32, [b"x" * 32, b"y" * 32], max_plots=32, q=4, n=16
    )
    assert [place for place, _ in drawn] == [0, 1]


def test_all_plots_of_a_large_batch_are_drawn_about_equally_often() -> None:
    ids, counts = [bytes((number,)) * 32 for number in range(8)], [0] * 8
    for trial in range(2000):
        for place, _ in draw_commit_challenges(
            trial.to_bytes(32), b"b" * 32, ids, max_plots=2, q=1, n=16
        ):
            counts[place] += 1
    # 500 expected each, standard deviation 19.4; chi-square with 7 degrees, 1 in 10^6: 41
    assert sum((count - 500) ** 2 / 500 for count in counts) < 41
