"""Fake nodes make many pods Ready quickly, with volumes that are bound."""

import pytest
from cluster.kwok import Kwok, is_ready
from cluster.running import Cluster
from cluster.samples import stateful_set
from cluster.waiting import until

pytestmark = pytest.mark.kubernetes
MANY = 100


def test_fake_nodes_are_ready_and_carry_their_labels(cluster: Cluster, kwok: Kwok) -> None:
    (name,) = kwok.add_nodes(1, {"topology.kubernetes.io/zone": "west"})
    node = cluster.kubectl.get("node", name)
    assert node is not None
    assert is_ready(node)
    assert node["metadata"]["labels"]["topology.kubernetes.io/zone"] == "west"


@pytest.mark.usefixtures("storage_class")
def test_a_hundred_stateful_sets_with_volumes_become_ready(
    cluster: Cluster, kwok: Kwok, namespace: str
) -> None:
    kwok.add_nodes(10)
    kubectl = cluster.kubectl.within(namespace)
    kubectl.apply(*[stateful_set(f"miner-{index}", claim="1Gi") for index in range(MANY)])

    def ready() -> bool:
        sets = kubectl.list("statefulsets")
        return sum(each["status"].get("readyReplicas", 0) for each in sets) == MANY

    until(ready, f"{MANY} StatefulSets are ready", timeout_seconds=180, every_seconds=0.5)
    claims = kubectl.list("persistentvolumeclaims")
    assert {claim["status"]["phase"] for claim in claims} == {"Bound"}


@pytest.mark.usefixtures("storage_class", "control_plane")
def test_the_volume_of_a_deleted_claim_goes(cluster: Cluster, namespace: str) -> None:
    kubectl = cluster.kubectl.within(namespace)
    kubectl.apply(stateful_set("once", claim="1Gi"))
    claim = kubectl.wait(
        "persistentvolumeclaim", "data-once-0", lambda it: it["status"]["phase"] == "Bound", "binds"
    )
    kubectl.delete("statefulset", "once")
    kubectl.wait_gone("pod", "once-0")
    kubectl.delete("persistentvolumeclaim", "data-once-0")
    kubectl.wait_gone("persistentvolume", claim["spec"]["volumeName"])
