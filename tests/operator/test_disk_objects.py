"""MinerDisk: the truth of one disk, its drain, its wipe, and its end."""

import pytest
from cluster.api import ApiError, Object
from operator_lab import Lab, condition
from responder import FakeDisk
from waiting import until

pytestmark = pytest.mark.kubernetes
TWO = [{"name": each, "claimTemplate": {"size": "1Gi"}} for each in ("a", "b")]


@pytest.fixture
def one(lab: Lab) -> Lab:
    """One miner with two disks."""
    lab.join()
    lab.pool(replicas=1, disks=TWO)
    miner = lab.responder.miner(lab.namespace, "home-0")
    miner.disks = {each: FakeDisk(each) for each in ("a", "b")}
    lab.ready("home", 1)
    phase(lab, "b", "InUse")
    return lab


def phase(lab: Lab, disk: str, expected: str) -> Object:
    return lab.wait(
        "minerdisk",
        f"home-0-{disk}",
        lambda found: found.get("status", {}).get("phase") == expected,
        f"is {expected}",
    )


def test_a_disk_is_drained_then_wiped_by_its_identity_alone(one: Lab) -> None:
    with pytest.raises(ApiError, match="wipe"):
        one.api.patch("minerdisk", "home-0-b", {"spec": {"drain": True, "wipe": "disk-b"}})
    one.api.patch("minerdisk", "home-0-b", {"spec": {"drain": True}})
    found = phase(one, "b", "Drained")
    assert found["status"]["diskId"] == "disk-b"
    with pytest.raises(ApiError, match=r"status\.diskId"):
        one.api.patch("minerdisk", "home-0-b", {"spec": {"wipe": "disk-a"}})
    one.api.patch("minerdisk", "home-0-b", {"spec": {"wipe": "disk-b"}})
    phase(one, "b", "Wiped")
    miner = one.responder.miner(one.namespace, "home-0")
    assert list(miner.disks) == ["a"]
    assert miner.calls == ["DELETE disks/disk-b", "POST disks/disk-b/wipe"]
    one.api.patch("minerdisk", "home-0-b", {"spec": {"drain": False, "wipe": ""}})
    phase(one, "b", "InUse")


def test_a_drain_that_goes_on_counts_what_is_left_and_can_be_called_back(one: Lab) -> None:
    disk = one.responder.miner(one.namespace, "home-0").disks["b"]
    disk.shards, disk.drains = 9, False
    one.api.patch("minerdisk", "home-0-b", {"spec": {"drain": True}})
    found = phase(one, "b", "Draining")
    assert "9 shards" in found["status"]["message"]
    assert condition(found, "Draining") == ("True", "Draining")
    one.api.patch("minerdisk", "home-0-b", {"spec": {"drain": False}})
    phase(one, "b", "InUse")
    assert not disk.leaving


def test_the_counts_are_those_of_the_last_report_and_a_stopped_miners_disk_is_not_in_use(
    one: Lab,
) -> None:
    """One shard of a disk of a gibibyte is far below the one per cent from which bytes count."""
    miner = one.responder.miner(one.namespace, "home-0")

    for count in (1, 0):
        miner.disks["b"].shards = miner.held = count
        one.wait(
            "minerdisk",
            "home-0-b",
            lambda found, count=count: found["status"]["shards"] == count,
            f"says {count} shards",
        )
    miner.disks["b"].shards = miner.held = 2
    one.wait(
        "minerpool",
        "home",
        lambda found: found["status"]["bytes"]["shards"] == 2 * 4096,
        "adds them up",
    )
    one.kubectl("scale", "minerpool", "home", "--replicas=0")
    found = phase(one, "b", "Stopped")
    assert condition(found, "Ready") == ("False", "Stopped")
    assert found["status"]["minerPhase"] == "Drained"
    one.kubectl("scale", "minerpool", "home", "--replicas=1")
    phase(one, "b", "InUse")


@pytest.mark.parametrize(
    ("state", "expected", "reason"),
    [
        ("foreign", "Foreign", "ForeignDisk"),
        ("missing", "Missing", "MissingDisk"),
        ("quarantined", "Failed", "FailedDisk"),
    ],
)
def test_a_bad_disk_is_named_and_the_rest_goes_on(
    one: Lab, state: str, expected: str, reason: str
) -> None:
    disk = one.responder.miner(one.namespace, "home-0").disks["b"]
    disk.state, disk.reason = state, "its marker is another miner's"
    found = phase(one, "b", expected)
    assert "marker" in found["status"]["message"]
    assert condition(found, "Degraded") == ("True", expected)
    pool = one.wait(
        "minerpool", "home", lambda seen: condition(seen, "Degraded")[0] == "True", "is Degraded"
    )
    assert condition(pool, "Degraded")[1] == reason
    assert pool["status"]["attention"][0]["phase"] == "Degraded"
    disk.state, disk.reason = "ready", ""
    phase(one, "b", "InUse")
    one.ready("home", 1)


def test_with_every_disk_dead_the_miner_lives_is_not_ready_and_says_why(one: Lab) -> None:
    """Its pod answers `/readyz` with 503 then (tests/miner), which fake nodes do not ask."""
    disks = one.responder.miner(one.namespace, "home-0").disks
    for name, state in (("a", "missing"), ("b", "quarantined")):
        disks[name].state, disks[name].reason = state, f"/disks/{name}: it is {state}"
    ready(one, "home-0-0", so=False)
    for name, expected in (("a", "Missing"), ("b", "Failed")):
        found = phase(one, name, expected)
        assert f"/disks/{name}" in found["status"]["message"]
        assert condition(found, "Degraded") == ("True", expected)
        one.wait(
            "minerdisk",
            f"home-0-{name}",
            lambda seen: seen["status"]["minerPhase"] == "Degraded",
            "shows its miner's phase",
        )
    pool = one.wait(
        "minerpool",
        "home",
        lambda seen: condition(seen, "Degraded") == ("True", "MissingDisk"),
        "is Degraded",
    )
    assert condition(pool, "Ready") == ("False", "NotAllReady")
    (waits,) = pool["status"]["attention"]
    assert (waits["phase"], waits["reason"]) == ("Degraded", "MissingDisk")
    assert waits["message"] == "disk a: /disks/a: it is missing (and 1 more)"
    for disk in disks.values():
        disk.state, disk.reason = "ready", ""
    ready(one, "home-0-0", so=True)
    one.ready("home", 1)
    for name in disks:
        phase(one, name, "InUse")


def ready(lab: Lab, pod: str, *, so: bool) -> None:
    """As a kubelet writes it."""
    wanted = {"type": "Ready", "status": str(so)}
    status = {"status": {"conditions": [wanted]}}
    lab.api.patch("pod", pod, status, subresource="status")


@pytest.mark.parametrize("name", ["a", "b"])
def test_a_disk_out_of_the_spec_is_emptied_and_then_leaves_the_pod_in_one_restart(
    one: Lab, name: str
) -> None:
    miner = one.responder.miner(one.namespace, "home-0")
    miner.disks[name].shards, miner.disks[name].drains = 3, False
    before = one.api.get("statefulset", "home-0")
    assert before is not None
    one.pool(replicas=1, disks=[each for each in TWO if each["name"] != name])
    phase(one, name, "Draining")

    def now() -> Object:
        found = one.api.get("statefulset", "home-0")
        assert found is not None
        return found

    def mounted() -> set[str]:
        return {each["name"] for each in now()["spec"]["template"]["spec"]["volumes"]}

    assert now()["spec"]["template"] == before["spec"]["template"], "nobody restarts yet"
    miner.disks[name].shards, miner.disks[name].state = 0, "drained"
    until(lambda: f"disk-{name}" not in mounted(), "the volume is out")
    del miner.disks[name]
    one.api.wait_gone("minerdisk", f"home-0-{name}")
    assert one.api.get("pvc", f"home-0-{name}") is not None
    one.ready("home", 1)
    assert now()["metadata"]["generation"] == before["metadata"]["generation"] + 1
