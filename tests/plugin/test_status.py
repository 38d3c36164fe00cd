"""`kubectl cybervein status` answers three questions, and names who is in trouble."""

import json

import pytest
from cluster.rest import Object
from cybervein_operator.plugin.answers import Answer, Ledger
from cybervein_operator.plugin.command import k8s
from cybervein_operator.plugin.overview import overview
from cybervein_operator.plugin.where import Where
from cybervein_protocol.api.super_node.miners import ListedMiner
from documents import made
from farm import Plugin, condition, disk_says, miner_disk, resource, say
from typer.testing import CliRunner


@pytest.mark.kubernetes
def test_a_farm_at_work_is_well(farm: Plugin) -> None:
    seen = json.loads(farm("status", "--json"))
    assert seen["ready"] == {"ok": True, "text": "all 2 miners are ready"}
    assert seen["safe"] == {"ok": True, "text": "2 disks hold 10 shards, none out of reach"}
    assert seen["earning"]["ok"] is None  # nobody runs a super node here, and it says so
    assert "its super node was not reached" in seen["earning"]["text"]
    assert [each["name"] for each in seen["miners"]] == ["pool-0", "pool-1"]


@pytest.mark.kubernetes
def test_people_get_a_page_with_every_name(farm: Plugin) -> None:
    text = farm("status")
    for words in ("Is everybody at work? yes", "Is the data safe? yes", "Does it earn? unknown"):
        assert words in text
    for name in ("home", "pool-0", "pool-1-disk1", "node-a"):
        assert name in text


@pytest.mark.kubernetes
def test_a_missing_disk_and_a_late_miner_are_named_with_their_reasons(farm: Plugin) -> None:
    disk_says(farm.api, 1, phase="Missing", shards=5, message="no marker at its place")
    late = {"miner": "pool-1", "phase": "Degraded", "reason": "DiskMissing", "message": "disk1"}
    not_ready = condition("False", "Degraded", "1 of 2 miners is degraded")
    say(farm.api, "minerpool", "pool", conditions=[not_ready], readyReplicas=1,
        attention=[late])  # fmt: skip
    seen = json.loads(farm("status", "--json", code=1))
    assert not seen["ready"]["ok"]
    assert "1 of 2 miners is degraded" in seen["ready"]["text"]
    assert "pool-1-disk1 is Missing with 5 shards" in seen["safe"]["text"]
    assert seen["miners"][1]["reason"] == "DiskMissing"


def test_what_the_ledger_has_otherwise_is_told_of_a_pool_that_is_ready() -> None:
    objects = seen_objects()
    differs = {"type": "Registered", "status": "False", "message": "owner: the ledger has a"}
    objects[1]["status"]["conditions"].append(differs)
    [pool] = overview(objects, {}).pools
    assert (pool["ready"], pool["message"].endswith("; ledger: owner: the ledger has a")) == (
        "True",
        True,
    )


@pytest.mark.kubernetes
def test_an_empty_namespace_says_what_to_look_at(plugin: Plugin) -> None:
    assert "kubectl explain minerpool" in plugin("status")


@pytest.mark.kubernetes
def test_without_an_operator_it_says_that_nobody_looked(plugin: Plugin) -> None:
    spec = {"preset": "test", "superNode": {"storage": {"size": "1Gi"}}}
    plugin.api.apply(resource("Network", "home", spec))
    text = " ".join(plugin("status", code=1).split())
    assert f"no operator acts in namespace {plugin.api.namespace}" in text
    assert "watchNamespaces" in text
    held = {"holderIdentity": "farm/cybervein/one", "leaseDurationSeconds": 15}
    lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease"}
    plugin.api.apply(lease | {"metadata": {"name": "cybervein-operator"}, "spec": held})
    text = " ".join(plugin("status", code=1).split())
    assert "farm/cybervein/one acts in namespace" in text


def seen_objects(*, phase: str = "InUse", miner_phase: str = "Ready") -> list[Object]:
    objects = [
        resource("Network", "home", {"preset": "test"}),
        resource("MinerPool", "pool", {"networkRef": {"name": "home"}, "replicas": 1}),
        miner_disk(0),
    ]
    for each in objects:
        each["metadata"]["namespace"] = "farm"
        each["status"] = {"conditions": [condition("True", "Fine")]}
    objects[1]["status"] |= {"readyReplicas": 1, "replicas": 1}
    word = {"phase": phase, "minerPhase": miner_phase, "address": "cv1", "shards": 3}
    objects[2]["status"] = word
    return objects


def standing(**changes: int) -> ListedMiner:
    known = {"rewards": 3_000_000_000, "fees": 500_000_000, "penalties": 0, "last_proof_epoch": 9}
    return made(ListedMiner, address="cv1", **(known | changes))


def answers(ledger: Ledger) -> Answer:
    return overview(seen_objects(), {"farm/home": ledger}).earning


def test_what_the_ledger_paid_is_told_in_coins() -> None:
    other = made(ListedMiner, address="other", rewards=9, fees=9, penalties=9, last_proof_epoch=9)
    answer = answers(Ledger(10, (standing(), other), 9))
    assert answer == Answer(ok=True, text="1 of 1 miners proved lately; earned so far: 3.5 coins")


def test_a_miner_that_stopped_proving_does_not_earn() -> None:
    assert answers(Ledger(10, (standing(last_proof_epoch=3),), 9)).ok is False


@pytest.mark.parametrize(
    ("last_proof_epoch", "exit_code"), [(9, 0), (3, 1)], ids=["it earns", "it does not earn"]
)
def test_the_exit_code_says_whether_any_answer_is_no(
    monkeypatch: pytest.MonkeyPatch, last_proof_epoch: int, exit_code: int
) -> None:
    ledger = Ledger(10, (standing(last_proof_epoch=last_proof_epoch),), 9)
    seen = overview(seen_objects(), {"farm/home": ledger})
    monkeypatch.setattr(Where, "ask", lambda *_: seen)
    ran = CliRunner().invoke(k8s, ["status", "--json"])
    assert (ran.exit_code, json.loads(ran.stdout)["earning"]["ok"]) == (exit_code, exit_code == 0)


@pytest.mark.parametrize("phase", ["Drained", "Draining"])
def test_a_miner_that_is_emptied_need_not_earn(phase: str) -> None:
    ledger = Ledger(10, (standing(last_proof_epoch=3),), 9)
    answer = overview(seen_objects(miner_phase=phase), {"farm/home": ledger}).earning
    assert answer.ok is None


def test_a_change_that_nobody_looked_at_is_told() -> None:
    objects = seen_objects()
    objects[1]["metadata"]["generation"] = 3
    objects[1]["status"]["observedGeneration"] = 2
    pool = overview(objects, {}, {"farm": "nobody acts"}).pools[0]
    assert "its last change was not looked at: nobody acts" in pool["message"]


def test_penalties_are_told() -> None:
    assert "penalties: 1 miners" in answers(Ledger(10, (standing(penalties=5),), 9)).text


def test_an_unreached_ledger_is_unknown_and_not_no() -> None:
    answer = answers(Ledger(problem="its super node was not reached"))
    assert answer.ok is None
    assert "farm/home" in answer.text


@pytest.mark.parametrize("phase", ["Missing", "Foreign", "Failed"])
def test_a_disk_out_of_reach_makes_the_data_unsafe(phase: str) -> None:
    answer = overview(seen_objects(phase=phase), {}).safe
    assert answer.ok is False
    assert f"pool-0-disk1 is {phase} with 3 shards" in answer.text


@pytest.mark.parametrize("phase", ["Drained", "ReadOnly", "Wiped", "Draining", "Stopped"])
def test_a_disk_that_still_serves_or_is_empty_does_not(phase: str) -> None:
    assert overview(seen_objects(phase=phase), {}).safe.ok is True


@pytest.mark.parametrize("phase", ["Blocked", "Unreachable"])
def test_a_miner_that_is_away_is_named(phase: str) -> None:
    answer = overview(seen_objects(miner_phase=phase), {}).safe
    assert answer.ok is False
    assert "pool-0" in answer.text
