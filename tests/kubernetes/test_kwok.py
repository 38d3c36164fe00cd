"""Fake nodes make many pods Ready quickly, with volumes that are bound."""

import pytest
from cluster.kwok import Kwok, is_ready
from cluster.running import Cluster
from cluster.samples import stateful_set
from waiting import until

pytestmark = pytest.mark.kubernetes
MANY = 100


def test_fake_nodes_are_ready_and_carry_their_labels(cluster: Cluster, kwok: Kwok) -> None:
    (name,) = kwok.add_nodes(1, {"topology.kubernetes.io/zone": "west"})
    node = cluster.api.get("node", name)
    assert node is not None
    assert is_ready(node)
    assert node["metadata"]["labels"]["topology.kubernetes.io/zone"] == "west"


@pytest.mark.usefixtures("storage_class")
def test_a_hundred_stateful_sets_with_volumes_become_ready(
    cluster: Cluster, kwok: Kwok, namespace: str
) -> None:
    kwok.add_nodes(10)
    api = cluster.api.within(namespace)
    api.apply(*[stateful_set(f"miner-{index}", claim="1Gi") for index in range(MANY)])

    def ready() -> bool:
        sets = api.list("statefulsets")
        return sum(each["status"].get("readyReplicas", 0) for each in sets) == MANY

    until(ready, f"{MANY} StatefulSets are ready", every_seconds=0.5)
    claims = api.list("persistentvolumeclaims")
    assert {claim["status"]["phase"] for claim in claims} == {"Bound"}


@pytest.mark.usefixtures("storage_class", "control_plane")
def test_the_volume_of_a_deleted_claim_goes(cluster: Cluster, namespace: str) -> None:
    api = cluster.api.within(namespace)
    api.apply(stateful_set("once", claim="1Gi"))
    claim = api.wait(
        "persistentvolumeclaim", "data-once-0", lambda it: it["status"]["phase"] == "Bound", "binds"
    )
    api.delete("statefulset", "once")
    api.wait_gone("pod", "once-0")
    api.delete("persistentvolumeclaim", "data-once-0")
    api.wait_gone("persistentvolume", claim["spec"]["volumeName"])
