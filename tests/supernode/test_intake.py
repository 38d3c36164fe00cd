"""Space proofs and commit responses of real plots: accepted once and kept, or refused."""

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from cybervein_protocol import vrf
from cybervein_protocol.encoding import cid_root, encode
from cybervein_protocol.errors import (
    ConflictError,
    CyberVeinError,
    ExpiredError,
    ForbiddenError,
    LimitError,
    MalformedError,
    ProofError,
    SignatureError,
)
from cybervein_protocol.ledger.mining.bodies import MinerRegister, PlotBatch, PlotEntry, PlotRetire
from cybervein_protocol.ledger.state.rows import BATCHES
from cybervein_protocol.messages import SpaceProof, sign_commit_response, sign_space_proof
from cybervein_protocol.messages.proofs import SPACE_CONTEXT
from cybervein_protocol.presets import TEST
from cybervein_protocol.signing import KeyPair, sign_record
from cybervein_protocol.space import (
    Plot,
    PlotClaim,
    PlotShape,
    draw_commit_challenges,
    encode_answer,
    encode_commit_proof,
    make_plot,
    plot_id,
    plot_seed,
    prove_commit,
    prove_space,
)
from cybervein_protocol.tree import root_and_outboard
from cybervein_supernode.intake.space_intake import results_issued
from cybervein_supernode.verify.replaying import verify_data
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from multiformats import CID
from super_lab import Lab

MINER = KeyPair(b"m" * 32)
VRF_SEED = b"f" * 32
SMALL = replace(TEST, plot_rows_log2=6)
B, K = SMALL.plot_rows_log2, SMALL.plot_layers
PLOTS = 3


@cache
def plot(index: int) -> Plot:
    return make_plot(plot_seed(MINER.public, index, B, K), PlotShape(B, K))


@dataclass
class Registered:
    """A miner whose batch of real plots is final."""

    lab: Lab
    batch: CID

    async def pass_batch(self) -> None:
        await self.lab.close_epoch()
        reason = await self.lab.node.commits.accept(self.response())
        assert reason == ""
        await self.lab.close_epoch()

    def response(self, *, spoil: bool = False, key: KeyPair = MINER) -> bytes:
        view = self.lab.desk.view
        head = view.head()
        ids = [identity(i) for i in range(PLOTS)]
        drawn = draw_commit_challenges(
            head.beacon, cid_root(self.batch), ids, max_plots=SMALL.commit_plots_drawn,
            q=SMALL.commit_rows_drawn, n=1 << B,
        )  # fmt: skip
        proofs = [encode_commit_proof(proof_of(position, rows)) for position, rows in drawn]
        if spoil:
            proofs[0] = proofs[0][:-1] + bytes([proofs[0][-1] ^ 1])
        response = sign_commit_response(
            key, network=view.network, batch=self.batch, epoch=head.epoch, proofs=proofs
        )
        return encode(replace(response, miner=MINER.public))

    def proof(self, answers: int = PLOTS, **changes: object) -> bytes:
        return encode(self.space_proof(answers, **changes))

    def space_proof(self, answers: int = PLOTS, **changes: object) -> SpaceProof:
        view = self.lab.desk.view
        head = view.head()
        made = sorted((answer(head.beacon, i) for i in range(answers)), key=lambda one: one.x)
        proof = sign_space_proof(
            MINER,
            network=view.network,
            epoch=head.epoch,
            vrf_proof=vrf.prove(VRF_SEED, head.beacon),
            answers=[encode_answer(one) for one in made],
        )
        return sign_record(SPACE_CONTEXT, replace(proof, **changes), MINER) if changes else proof


def identity(index: int) -> bytes:
    made = plot(index)
    return plot_id(plot_seed(MINER.public, index, B, K), made.kappa, made.gamma)


def claim(index: int) -> PlotClaim:
    return PlotClaim(index=index, b=B, k=K, kappa=plot(index).kappa, gamma=plot(index).gamma)


def proof_of(position: int, rows: tuple[int, ...]):  # noqa: ANN201 -- a CommitProof
    return prove_commit(MINER.public, claim(position), rows)


def answer(beacon: bytes, index: int):  # noqa: ANN201 -- a SpaceAnswer
    rows = plot(index).rows
    _, outboard = root_and_outboard(rows)
    return prove_space(beacon, identity(index), B, lambda at, n: rows[at : at + n], outboard)


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    made = Lab(tmp_path, SMALL)
    made.begin()
    yield made
    await made.end()


@pytest.fixture
async def miner(lab: Lab) -> Registered:
    body = MinerRegister(
        vrf=vrf.public_key(VRF_SEED), payout=MINER.public, url="http://x", group="g", owner="o"
    )
    await lab.send(MINER, body, free=True)
    entries = [PlotEntry(index=i, kappa=plot(i).kappa, gamma=plot(i).gamma) for i in range(PLOTS)]
    done = await lab.send(MINER, PlotBatch(plots=entries, bond=0), free=True)
    assert done.status == "final", done
    return Registered(lab, done.unit)


async def test_honest_plots_pass_prove_and_count(lab: Lab, miner: Registered) -> None:
    await miner.pass_batch()
    entry = await lab.node.space.accept(miner.proof())
    assert (entry.sent, entry.estimate) == (PLOTS, PLOTS)
    assert lab.desk.evidence.read(entry.evidence) == miner.proof()
    timeline = lab.timeline()
    await lab.node.space.issue_results(timeline)
    row = lab.desk.view.miner(MINER.public)
    assert (row.space_now, row.space_epoch) == (PLOTS, timeline.epoch + 1)


@pytest.mark.parametrize("retired", [1, PLOTS])
async def test_plots_that_retire_before_the_result_leave_a_proof_that_is_proved_again(
    lab: Lab, miner: Registered, retired: int
) -> None:
    await miner.pass_batch()
    await lab.node.space.accept(miner.proof())
    body = PlotRetire(plots=[plot_seed(MINER.public, i, B, K) for i in range(retired)])
    done = await lab.send(MINER, body, free=True)
    assert done.status == "final", done
    await lab.node.space.issue_results(lab.timeline())
    await lab.close_epoch()
    verified = verify_data(lab.desk.view, lab.home.evidence)
    assert (verified.reproved, verified.epochs) == (1, 3)


async def test_an_accepted_proof_survives_a_crash_before_its_result(
    lab: Lab, miner: Registered
) -> None:
    await miner.pass_batch()
    await lab.node.space.accept(miner.proof())
    await lab.end()
    lab.begin()
    assert not results_issued(lab.desk.view, lab.node.epochs.open_epoch())
    await lab.node.space.issue_results(lab.timeline())
    assert results_issued(lab.desk.view, lab.node.epochs.open_epoch())
    await lab.node.space.issue_results(lab.timeline())  # again: nothing more to issue
    assert lab.desk.view.miner(MINER.public).proofs == 1


async def test_the_first_proof_counts_and_the_same_again_is_answered_alike(
    lab: Lab, miner: Registered
) -> None:
    await miner.pass_batch()
    first = await lab.node.space.accept(miner.proof())
    assert await lab.node.space.accept(miner.proof()) == first
    assert await lab.node.space.accept(miner.proof(answers=1)) == first


async def test_a_proof_that_does_not_hold_is_refused_and_leaves_nothing(
    lab: Lab, miner: Registered
) -> None:
    await miner.pass_batch()
    good = miner.space_proof()
    beacon = lab.desk.view.head().beacon
    swapped = [good.answers[1], good.answers[0], good.answers[2]]
    twice = [good.answers[0], good.answers[0]]
    flipped = [good.answers[0][:-1] + bytes([good.answers[0][-1] ^ 1])]
    cases = [
        (miner.proof(epoch=good.epoch - 1), ExpiredError),
        (miner.proof(epoch=good.epoch + 1), ExpiredError),
        (miner.proof(network=miner.batch), ForbiddenError),
        (miner.proof(vrf_proof=bytes(80)), CyberVeinError),
        (miner.proof(vrf_proof=vrf.prove(b"e" * 32, beacon)), ProofError),
        (encode(replace(good, sig=bytes(64))), SignatureError),
        (encode(replace(good, answers=good.answers[:2])), SignatureError),
        (encode(sign_record(SPACE_CONTEXT, replace(good, answers=swapped), MINER)), ProofError),
        (encode(sign_record(SPACE_CONTEXT, replace(good, answers=twice), MINER)), ProofError),
        (encode(sign_record(SPACE_CONTEXT, replace(good, answers=flipped), MINER)), CyberVeinError),
        (encode(sign_record(SPACE_CONTEXT, replace(good, answers=[]), MINER)), LimitError),
        (encode(good)[:-1], MalformedError),
    ]
    for raw, error in cases:
        with pytest.raises(error):
            await lab.node.space.accept(raw)
        assert lab.desk.notebook.space(good.epoch) == []
    assert await lab.node.space.accept(encode(good))


async def test_plots_count_only_for_beacons_after_their_batch_passed(
    lab: Lab, miner: Registered
) -> None:
    await lab.close_epoch()
    await lab.node.commits.accept(miner.response())
    with pytest.raises(ProofError, match="is not an active plot"):
        await lab.node.space.accept(miner.proof())


async def test_a_late_proof_is_told_that_it_is_late(
    lab: Lab, miner: Registered, monkeypatch: pytest.MonkeyPatch
) -> None:
    await miner.pass_batch()
    monkeypatch.setattr(lab.node.space, "_in_time", lambda: False)
    with pytest.raises(ExpiredError, match="deadline is past"):
        await lab.node.space.accept(miner.proof())


async def test_an_accepted_proof_that_is_sent_again_late_is_still_accepted(
    lab: Lab, miner: Registered, monkeypatch: pytest.MonkeyPatch
) -> None:
    await miner.pass_batch()
    first = await lab.node.space.accept(miner.proof())
    monkeypatch.setattr(lab.node.space, "_in_time", lambda: False)
    assert await lab.node.space.accept(miner.proof()) == first, "by a miner that was started again"


async def test_a_signed_response_that_does_not_prove_costs_the_batch(
    lab: Lab, miner: Registered
) -> None:
    await lab.close_epoch()
    assert await lab.node.commits.accept(miner.response(spoil=True)) != ""
    row = lab.desk.view.rows.find(BATCHES, cid_root(miner.batch))
    assert row is not None
    assert row.state == "void"
    with pytest.raises(ConflictError, match="is void already"):
        await lab.node.commits.accept(miner.response())


async def test_a_response_that_cannot_be_judged_costs_nothing(lab: Lab, miner: Registered) -> None:
    cases = [(miner.response(), ConflictError)]  # its own epoch's beacon: not drawn yet
    await lab.close_epoch()
    cases += [
        (miner.response(key=KeyPair(b"x" * 32)), SignatureError),
        (miner.response()[:-9], MalformedError),
        (secrets.token_bytes(100), MalformedError),
    ]
    for raw, error in cases:
        with pytest.raises(error):
            await lab.node.commits.accept(raw)
    row = lab.desk.view.rows.find(BATCHES, cid_root(miner.batch))
    assert row is not None
    assert row.state == "pending"
    assert await lab.node.commits.accept(miner.response()) == ""


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(noise=st.binary(max_size=400))
async def test_noise_is_always_a_readable_error(lab: Lab, noise: bytes) -> None:
    for accept in (lab.node.space.accept, lab.node.commits.accept):
        with pytest.raises(CyberVeinError):
            await accept(noise)
