"""`chain verify` judges kept evidence again: it re-proves, says what is gone, and catches a lie."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cybervein_protocol.encoding import encode
from cybervein_protocol.errors import ProofError
from cybervein_protocol.ledger.mining.measurements import AuditEntry, AuditResult
from cybervein_protocol.messages import sign_audit_answer
from cybervein_supernode.audit.auditor import Auditor
from cybervein_supernode.verify.replaying import verify_data
from fake_miner import FakeMiner
from stored_deal import register, store
from super_lab import Lab


@pytest.fixture
async def miners(lab: Lab) -> AsyncIterator[list[FakeMiner]]:
    made = [FakeMiner(lab.desk.view.network, f"miner-{i}") for i in range(3)]
    await register(lab, made)
    await store(lab, made, k=2)
    yield made
    for miner in made:
        await miner.stop()


async def audited_epoch(lab: Lab) -> None:
    await Auditor(lab.desk, lab.node.roster._miners).run(lab.timeline())
    await lab.close_epoch()


def kept(lab: Lab) -> list[Path]:
    return [path for path in lab.home.evidence.rglob("*") if path.is_file()]


async def test_epochs_whose_evidence_is_kept_are_proved_again(
    lab: Lab, miners: list[FakeMiner]
) -> None:
    await audited_epoch(lab)
    miners[1].misbehave = "wrong bytes"
    await audited_epoch(lab)
    result = verify_data(lab.desk.view, lab.home.evidence)
    assert (result.epochs, result.reproved, result.attested) == (2, 2, 0)


async def test_an_epoch_whose_evidence_is_gone_is_attested(
    lab: Lab, miners: list[FakeMiner]
) -> None:
    await audited_epoch(lab)
    kept(lab)[0].unlink()
    await audited_epoch(lab)
    result = verify_data(lab.desk.view, lab.home.evidence)
    assert (result.reproved, result.attested) == (1, 1)
    assert miners


async def test_a_result_that_its_evidence_does_not_bear_out_is_found(
    lab: Lab, miners: list[FakeMiner]
) -> None:
    """A super node that lies: it claims loss, on an answer that is good."""
    epoch, holding = lab.node.epochs.open_epoch(), bytes(32)
    honest = miners[0]
    answer = sign_audit_answer(
        honest.key, network=lab.desk.view.network, epoch=epoch, holding=holding, answers=[]
    )
    lie = AuditEntry(
        miner=honest.key.public,
        outcome="wrong",
        challenged=1,
        good=0,
        holding=holding,
        evidence=lab.desk.evidence.keep(epoch, encode(answer)),
        miner_sig=answer.sig,
    )
    await lab.desk.engine.issue(AuditResult(epoch=epoch, results=[lie]))
    with pytest.raises(ProofError, match="does not say what the ledger says"):
        verify_data(lab.desk.view, lab.home.evidence)
