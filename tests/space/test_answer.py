"""Space answers: honest ones give their quality, damaged ones a reason."""

import msgspec
import pytest
from blake3 import blake3
from cybervein_protocol.encoding import encode
from cybervein_protocol.errors import CyberVeinError, LimitError, MalformedError, ProofError
from cybervein_protocol.space import (
    Plot,
    PlotClaim,
    SpaceAnswer,
    challenge,
    decode_answer,
    encode_answer,
    prove_space,
    quality,
    row_quality,
    verify_space_answer,
)
from cybervein_protocol.tree import outboard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

KEY = bytes(range(32))
BEACON = b"\x07" * 32

pytestmark = pytest.mark.usefixtures("native_mode")


class Prover:
    """A miner with one plot in memory."""

    def __init__(self, plot: Plot, claim: PlotClaim) -> None:
        self.data, self.gamma, self.b = plot.rows, plot.gamma, claim.b
        self.id = claim.plot_id(KEY)

    def read_at(self, start: int, length: int) -> bytes:
        return self.data[start : start + length]

    def answer(self, beacon: bytes = BEACON) -> SpaceAnswer:
        return prove_space(beacon, self.id, self.b, self.read_at, outboard(self.data))

    def verify(self, answer: SpaceAnswer, beacon: bytes = BEACON) -> int:
        return verify_space_answer(beacon, self.id, self.gamma, self.b, answer)


@pytest.fixture
def prover(plot: Plot, claim: PlotClaim) -> Prover:
    return Prover(plot, claim)


def test_an_honest_answer_proves_its_quality(prover: Prover) -> None:
    s, row = challenge(BEACON, prover.id, 64)
    expected = quality(s, prover.data[512 * row : 512 * row + 512])
    assert prover.verify(prover.answer()) == expected == prover.answer().quality
    assert row_quality(BEACON, prover.id, prover.b, prover.read_at) == expected


def test_the_challenge_is_the_text(prover: Prover) -> None:
    s, row = challenge(BEACON, prover.id, 64)
    assert (
        s == blake3(BEACON + prover.id, derive_key_context="cybervein 2026-11 challenge").digest()
    )
    assert row == int.from_bytes(s[:8], "little") % 64


def test_one_read_finds_the_quality(prover: Prover) -> None:
    reads: list[tuple[int, int]] = []

    def read_at(start: int, length: int) -> bytes:
        reads.append((start, length))
        return prover.read_at(start, length)

    row_quality(BEACON, prover.id, prover.b, read_at)
    assert reads == [(512 * challenge(BEACON, prover.id, 64)[1], 512)]


def test_an_answer_to_another_beacon_is_refused(prover: Prover) -> None:
    with pytest.raises(ProofError):
        prover.verify(prover.answer(), beacon=b"\x08" * 32)


def test_an_answer_for_another_plot_is_refused(prover: Prover) -> None:
    wrong = msgspec.structs.replace(prover.answer(), plot_id=bytes(32))
    with pytest.raises(ProofError, match="for plot 0000000000000000"):
        prover.verify(wrong)


def test_a_better_quality_than_the_row_has_is_refused(prover: Prover) -> None:
    wrong = msgspec.structs.replace(prover.answer(), x=(1).to_bytes(8, "big"))
    with pytest.raises(ProofError, match="claims quality 1, the row gives"):
        prover.verify(wrong)


def test_a_flipped_bit_anywhere_in_the_slice_is_refused(prover: Prover) -> None:
    answer = prover.answer()
    for at in range(0, len(answer.slice), 31):
        damaged = bytearray(answer.slice)
        damaged[at] ^= 0x10
        with pytest.raises(ProofError, match="space answer"):
            prover.verify(msgspec.structs.replace(answer, slice=bytes(damaged)))


def test_truncated_and_lengthened_slices_are_refused(prover: Prover) -> None:
    answer = prover.answer()
    cuts = [answer.slice[:cut] for cut in range(0, len(answer.slice), 13)]
    for wrong in [*cuts, answer.slice[:-1], answer.slice + b"\0"]:
        with pytest.raises(ProofError, match="space answer"):
            prover.verify(msgspec.structs.replace(answer, slice=wrong))


def test_a_slice_that_claims_another_file_size_is_refused(prover: Prover) -> None:
    answer = prover.answer()
    for size in (0, 512, len(prover.data) - 1, 2 * len(prover.data)):
        wrong = size.to_bytes(8, "little") + answer.slice[8:]
        with pytest.raises(ProofError, match=str(len(prover.data))):
            prover.verify(msgspec.structs.replace(answer, slice=wrong))


def test_a_row_of_another_place_is_refused(prover: Prover, claim: PlotClaim) -> None:
    other = Prover(Plot(prover.data, b""), claim)
    answers = {bytes((n,)) * 32: other.answer(bytes((n,)) * 32) for n in range(8)}
    rows = {challenge(beacon, other.id, 64)[1] // 2 for beacon in answers}
    assert len(rows) > 1
    for beacon, answer in answers.items():
        if challenge(beacon, other.id, 64)[1] // 2 != challenge(BEACON, other.id, 64)[1] // 2:
            with pytest.raises(ProofError):
                prover.verify(answer)


@settings(
    max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(
    at=st.floats(0, 1, exclude_max=True),
    change=st.integers(0, 255),
    x=st.none() | st.binary(min_size=8, max_size=8),
)
def test_no_changed_answer_verifies(
    plot: Plot, claim: PlotClaim, at: float, change: int, x: bytes | None
) -> None:
    prover = Prover(plot, claim)
    honest = prover.answer()
    data = bytearray(honest.slice)
    data[int(at * len(data))] ^= change
    made = msgspec.structs.replace(honest, slice=bytes(data), x=x or honest.x)
    if made == honest:
        assert prover.verify(made) == honest.quality
    else:
        with pytest.raises(ProofError):
            prover.verify(made)


def test_answers_come_back_from_their_encoding(prover: Prover) -> None:
    answer = prover.answer()
    assert decode_answer(encode_answer(answer)) == answer
    assert len(encode_answer(answer)) < 2048


@given(st.binary(max_size=300))
def test_any_bytes_are_parsed_or_refused(data: bytes) -> None:
    try:
        answer = decode_answer(data)
    except CyberVeinError:
        return
    assert encode_answer(answer) == data


@given(
    st.binary(min_size=32, max_size=32), st.binary(min_size=8, max_size=8), st.binary(max_size=4096)
)
def test_any_answer_survives_its_encoding(plot_id: bytes, x: bytes, encoded: bytes) -> None:
    answer = SpaceAnswer(plot_id=plot_id, x=x, slice=encoded)
    assert decode_answer(encode_answer(answer)) == answer


def test_oversized_unknown_and_missing_fields_are_refused(prover: Prover) -> None:
    fields = {"plot_id": prover.id, "x": bytes(8), "slice": b""}
    with pytest.raises(LimitError, match="at most"):
        decode_answer(encode({**fields, "slice": bytes(5000)}))
    for wrong in (
        {**fields, "extra": 1},
        {"plot_id": prover.id, "x": bytes(8)},
        {**fields, "x": bytes(7)},
        {**fields, "plot_id": bytes(31)},
        {**fields, "slice": "text"},
        {**fields, "slice": bytes(4100)},
    ):
        with pytest.raises(MalformedError, match="space answer"):
            decode_answer(encode(wrong))
