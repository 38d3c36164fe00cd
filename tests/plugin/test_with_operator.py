"""The plug-in and the real operator understand each other: what one asks, the other does."""

import base64
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from cluster.kwok import Kwok
from cluster.running import Cluster
from farm import Plugin, resource
from operator_lab import Lab, rights
from responder import PlayedMiner, Responder
from waiting import DEADLINE_SECONDS

pytestmark = pytest.mark.kubernetes
CREATED, FORBIDDEN = 201, 403


@pytest.fixture(scope="module")
def responder() -> Iterator[Responder]:
    running = Responder().start()
    yield running
    running.stop()


@pytest.fixture
def lab(  # noqa: PLR0913, PLR0917 -- what an operator needs around it
    cluster: Cluster,
    crds: None,
    storage_class: str,
    kwok: Kwok,
    namespace: str,
    tmp_path: Path,
    responder: Responder,
) -> Iterator[Lab]:
    """An operator that runs, with two miners of one disk each that are ready."""
    assert crds is None
    assert storage_class
    kwok.add_nodes(2)
    with Lab(cluster, namespace, tmp_path, responder).running() as running:
        running.join()
        running.pool(replicas=2)
        running.ready("home", 2)
        yield running


@pytest.fixture
def plugin(lab: Lab) -> Plugin:
    return Plugin(lab.api, lab.kubectl.kubeconfig, lab.directory)


def miner(lab: Lab, ordinal: int) -> PlayedMiner:
    return lab.responder.miner(lab.namespace, f"home-{ordinal}")


def test_status_of_miners_at_work(lab: Lab, plugin: Plugin) -> None:
    seen = json.loads(plugin("status", "--json"))
    assert seen["ready"] == {"ok": True, "text": "all 2 miners are ready"}
    assert [each["phase"] for each in seen["miners"]] == ["Ready", "Ready"]
    assert {each["address"] for each in seen["miners"]} == {
        miner(lab, ordinal).address for ordinal in (0, 1)
    }


def test_a_drain_ends_when_the_operator_has_stopped_the_miner(lab: Lab, plugin: Plugin) -> None:
    out = plugin("drain", "home-0")
    assert "home-0: drained and stopped" in out
    assert miner(lab, 0).draining
    assert lab.api.get("statefulset", "home-0") is None
    assert lab.api.get("statefulset", "home-1") is not None
    assert lab.api.get("persistentvolumeclaim", "home-0-a") is not None
    plugin("drain", "home-0", "--cancel")
    lab.ready("home", 2)


def test_a_drain_that_nobody_can_take_says_why(lab: Lab, plugin: Plugin) -> None:
    held = miner(lab, 1)
    held.held, held.holds, held.blocked_by = 3, True, "no other failure domain has room"
    run = plugin.start("drain", "home-1")
    assert run.stderr is not None
    told = ""
    while "no other failure domain has room" not in told:
        line = run.stderr.readline()
        assert line, told
        told += line
    held.held = 0
    out, err = run.communicate(timeout=DEADLINE_SECONDS)
    assert run.returncode == 0, err
    assert "home-1: drained and stopped" in out


def test_a_disk_is_replaced_and_one_is_wiped(lab: Lab, plugin: Plugin) -> None:
    out = " ".join(plugin("disk", "replace", "home-0-a").split())
    assert "home-0-a is empty and may be pulled: disk disk-a" in out
    assert miner(lab, 0).disks["a"].state == "drained"
    assert "home-0-a is in use: disk disk-a" in plugin("disk", "replace", "home-0-a", "--new")
    plugin("disk", "replace", "home-0-a")
    assert "home-0-a is wiped" in plugin("wipe", "home-0-a", "--confirm", "disk-a")
    assert miner(lab, 0).calls[-1] == "POST disks/disk-a/wipe"


def test_a_support_bundle_of_a_running_operator_holds_no_identity(lab: Lab, plugin: Plugin) -> None:
    plugin("support-bundle", "--out", "bundle.tar.gz")
    secret = lab.api.get("secret", "home-0-identity")
    assert secret is not None
    identity = json.loads(base64.b64decode(secret["data"]["identity.json"]))
    with tarfile.open(lab.directory / "bundle.tar.gz") as archive:
        for member in archive.getmembers():
            held = archive.extractfile(member)
            assert held is not None
            text = held.read().decode()
            assert identity["seed"] not in text
            assert secret["data"]["identity.json"] not in text


RARE = {
    ("patch", "secrets"),  # certificates are renewed
    ("patch", "leases"),  # so is the Lease, each ten seconds
    ("delete", "minerdisks"),  # of disks that left the spec
    ("delete", "poddisruptionbudgets"),  # a foreign field goes with it alone
}


def granted(lab: Lab) -> set[tuple[str, str]]:
    """What the chart's Role lets the operator change."""
    (role,) = [each for each in rights(lab.namespace) if each["kind"] == "Role"]
    return {
        (verb, resource)
        for rule in role["rules"]
        for resource in rule["resources"]
        for verb in set(rule["verbs"]) - {"get", "list", "watch"}
    }


def test_the_operators_role_is_what_it_uses_and_no_more(
    cluster: Cluster, lab: Lab, plugin: Plugin
) -> None:
    assert cluster.control_plane is not None
    founded = {"preset": "test", "superNode": {"storage": {"size": "1Gi"}}}
    lab.super_node("own", f"https://own-supernode.{lab.namespace}.svc:7700")
    lab.api.apply(resource("Network", "own", founded))
    lab.pool(replicas=3, image="cybervein:other")
    lab.ready("home", 3)
    plugin("drain", "home-2")
    plugin("disk", "replace", "home-0-a")
    lab.api.wait("secret", "cybervein-operator-tls", bool, "exists")

    user = f"system:serviceaccount:{lab.namespace}:cybervein-operator"
    calls = cluster.control_plane.audit.calls(user=user)
    assert [f"{c.verb} {c.resource} {c.name}" for c in calls if c.code == FORBIDDEN] == []
    used = {(call.verb, call.resource) for call in calls if call.writes}
    used |= {("create", call.resource) for call in calls if call.code == CREATED}  # by an apply
    assert granted(lab) - used <= RARE
