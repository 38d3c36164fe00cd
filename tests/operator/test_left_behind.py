"""A pool that was made again with one disk less: the disk is listed, mounted, emptied, let go."""

import pytest
from cluster.rest import Object
from operator_lab import Lab, condition
from responder import FakeDisk, PlayedMiner
from waiting import until

pytestmark = pytest.mark.kubernetes
TWO = [{"name": each, "claimTemplate": {"size": "1Gi"}} for each in ("a", "b")]


@pytest.fixture
def miner(lab: Lab) -> PlayedMiner:
    """Of a pool that had two disks, and has one; the miner waits for a proof with its restart."""
    lab.join()
    lab.pool(replicas=1, disks=TWO)
    played = lab.responder.miner(lab.namespace, "home-0")
    played.disks = {each: FakeDisk(each) for each in ("a", "b")}
    lab.ready("home", 1)
    lab.api.delete("minerpool", "home")
    for kind, name in (("minerdisk", "home-0-b"), ("statefulset", "home-0"), ("pod", "home-0-0")):
        lab.api.wait_gone(kind, name)
    played.disks["b"].state, played.disks["b"].reason = "missing", "is it mounted?"
    played.disks["b"].shards, played.disks["b"].drains, played.proved = 3, False, 4
    lab.pool(replicas=1, disks=TWO[:1])
    return played


def mounted(lab: Lab) -> set[str]:
    found = lab.api.get("statefulset", "home-0")
    assert found is not None
    return {each["name"] for each in found["spec"]["template"]["spec"]["volumes"]}


def test_it_is_mounted_again_and_emptied_before_it_is_let_go(lab: Lab, miner: PlayedMiner) -> None:
    def waits(found: Object) -> bool:
        status = found.get("status", {})
        return status.get("phase") == "Missing" and "mounted again" in status.get("message", "")

    found = lab.wait("minerdisk", "home-0-b", waits, "says that it is mounted again")
    assert found["spec"]["claim"] == "home-0-b"
    pool = lab.wait(
        "minerpool", "home", lambda p: condition(p, "Degraded")[1] == "MissingDisk", "says so"
    )
    assert "disk b" in pool["status"]["attention"][0]["message"]
    assert not [call for call in miner.calls if call.startswith("DELETE")], "its shards are there"
    miner.proved = 5
    until(lambda: "disk-b" in mounted(lab), "the volume is in", diagnose=lab.process.tail)
    miner.disks["b"].state, miner.disks["b"].reason = "ready", ""
    lab.wait("minerdisk", "home-0-b", lambda d: d["status"]["phase"] == "Draining", "is emptied")
    miner.disks["b"].shards, miner.disks["b"].state = 0, "drained"
    until(lambda: "disk-b" not in mounted(lab), "it is emptied", diagnose=lab.process.tail)
    assert "DELETE disks/disk-b" in miner.calls
    del miner.disks["b"]
    lab.api.wait_gone("minerdisk", "home-0-b")
    assert lab.api.get("pvc", "home-0-b") is not None
    lab.ready("home", 1)
    lab.wait("minerpool", "home", lambda p: condition(p, "Degraded")[0] == "False", "is well")
    assert lab.api.get("minerdisk", "home-0-b") is None, "its claim alone brings nothing back"


def test_one_without_a_claim_is_told_with_both_ways_out(lab: Lab, miner: PlayedMiner) -> None:
    miner.disks["c"] = FakeDisk("c", state="missing", reason="is it mounted?")
    del miner.disks["b"]

    def told(found: Object) -> bool:
        words = [each["message"] for each in found.get("status", {}).get("attention", [])]
        return any("no claim home-0-c" in each for each in words)

    pool = lab.wait("minerpool", "home", told, "names the way")
    [waits] = pool["status"]["attention"]
    assert "spec.disks" in waits["message"]
    assert "cybervein disk remove disk-c --force" in waits["message"]
    assert lab.api.get("minerdisk", "home-0-c") is None
