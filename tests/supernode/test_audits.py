"""Possession audits against real sockets: four outcomes, kept apart, each at its own price."""

from collections.abc import AsyncIterator

import pytest
from cybervein_protocol.ledger.state.rows import MinerRow
from cybervein_protocol.messages import decode_audit_answer, verify_audit_answer
from cybervein_protocol.presets import TEST
from cybervein_supernode.audit import auditor as auditor_module
from cybervein_supernode.audit.auditor import Auditor
from fake_miner import FakeMiner
from stored_deal import Stored, register, store
from super_lab import Lab


@pytest.fixture
async def held(lab: Lab) -> AsyncIterator[tuple[list[FakeMiner], Stored]]:
    miners = [FakeMiner(lab.desk.view.network, f"miner-{i}") for i in range(3)]
    await register(lab, miners)
    stored = await store(lab, miners, k=2)
    yield miners, stored
    for miner in miners:
        await miner.stop()


async def audit(lab: Lab) -> None:
    await Auditor(lab.desk, lab.node.roster._miners).run(lab.timeline())


def row(lab: Lab, miner: FakeMiner) -> MinerRow:
    return lab.desk.view.miner(miner.key.public)


def counts(made: MinerRow) -> tuple[int, int, int, int]:
    return made.audits_passed, made.audits_wrong, made.audits_timeout, made.audits_verifier


async def test_honest_miners_pass_with_evidence_that_anybody_can_check(
    lab: Lab, held: tuple[list[FakeMiner], Stored]
) -> None:
    await audit(lab)
    for miner in held[0]:
        assert counts(row(lab, miner)) == (1, 0, 0, 0)
        assert row(lab, miner).chunks_good == TEST.audit_samples
    digests = [d for (d,) in lab.desk.view.sql.execute("SELECT digest FROM evidence")]
    answers = [decode_audit_answer(lab.desk.evidence.read(digest)) for digest in digests]
    assert {answer.miner for answer in answers} == {miner.key.public for miner in held[0]}
    for answer in answers:
        verify_audit_answer(answer)


@pytest.mark.parametrize("how", ["wrong bytes", "admitted loss"])
async def test_a_signed_wrong_answer_costs_the_penalty_and_queues_the_shard(
    lab: Lab, held: tuple[list[FakeMiner], Stored], how: str
) -> None:
    bad = held[0][1]
    bad.misbehave = how
    await audit(lab)
    assert counts(row(lab, bad)) == (0, 1, 0, 0)
    assert [loss.miner for loss in lab.desk.notebook.losses()] == [bad.key.public]
    assert counts(row(lab, held[0][0])) == (1, 0, 0, 0)


@pytest.mark.parametrize(
    "how", ["silence", "no audit", "another's signature", "old answer", "fewer answers"]
)
async def test_what_proves_nothing_is_a_timeout_and_costs_no_bond(
    lab: Lab, held: tuple[list[FakeMiner], Stored], how: str
) -> None:
    bad = held[0][1]
    bad.misbehave = how
    before = row(lab, bad)
    await audit(lab)
    after = row(lab, bad)
    assert counts(after) == (0, 0, 1, 0)
    assert (after.bonded, after.penalties) == (before.bonded, before.penalties)
    assert lab.desk.notebook.losses() == []


async def test_a_miner_that_answers_at_the_second_try_has_passed(
    lab: Lab, held: tuple[list[FakeMiner], Stored]
) -> None:
    shy = held[0][1]
    shy.misbehave = "silence once"
    await audit(lab)
    assert shy.audits == 2
    assert counts(row(lab, shy)) == (1, 0, 0, 0)


async def test_an_error_of_the_auditor_costs_nobody_anything(
    lab: Lab, held: tuple[list[FakeMiner], Stored], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a bug of ours")

    monkeypatch.setattr(auditor_module, "examine", broken)
    before = [row(lab, miner) for miner in held[0]]
    await audit(lab)
    for miner, then in zip(held[0], before, strict=True):
        now = row(lab, miner)
        assert counts(now) == (0, 0, 0, 1)
        assert (now.bonded, now.penalties, now.audit) == (then.bonded, then.penalties, then.audit)
    assert lab.desk.notebook.losses() == []


async def test_nobody_is_audited_twice_in_an_epoch_even_after_a_restart(
    lab: Lab, held: tuple[list[FakeMiner], Stored]
) -> None:
    await audit(lab)
    await lab.end()
    lab.begin()
    await audit(lab)
    assert [miner.audits for miner in held[0]] == [1, 1, 1]
    await lab.close_epoch()
    await audit(lab)
    assert [miner.audits for miner in held[0]] == [2, 2, 2]
