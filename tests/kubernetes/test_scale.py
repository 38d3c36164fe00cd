"""The test cluster itself carries a thousand miners: the bound that the operator is held to."""

import time
from collections.abc import Callable

import pytest
from cluster.kwok import Kwok
from cluster.running import Cluster
from cluster.samples import stateful_set
from cluster.waiting import until

pytestmark = [pytest.mark.scale, pytest.mark.timeout(900)]
MANY = 1000


@pytest.mark.usefixtures("storage_class")
def test_a_thousand_stateful_sets_with_volumes_become_ready(
    cluster: Cluster,
    kwok: Kwok,
    namespace: str,
    record_property: Callable[[str, object], None],
) -> None:
    kwok.add_nodes(50)
    kubectl = cluster.kubectl.within(namespace)
    began = time.monotonic()
    kubectl.apply(*[stateful_set(f"miner-{index}", claim="1Gi") for index in range(MANY)])
    applied = time.monotonic() - began

    def ready() -> bool:
        counts = kubectl("get", "statefulsets", "-o", "jsonpath={.items[*].status.readyReplicas}")
        return counts.split() == ["1"] * MANY

    until(ready, f"{MANY} StatefulSets are ready", timeout_seconds=400, every_seconds=1)
    record_property("apply_seconds", round(applied))
    record_property("ready_seconds", round(time.monotonic() - began))
    # What comes after on this control plane is measured: it must not share it with the removal.
    cluster.kubectl.delete("namespace", namespace, "--wait=false")
    cluster.kubectl.wait_gone("namespace", namespace, timeout_seconds=400)
