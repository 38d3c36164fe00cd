"""The test cluster itself carries a thousand miners: the bound that the operator is held to."""

import time
from collections.abc import Callable

import pytest
from cluster.kwok import Kwok
from cluster.running import Cluster
from cluster.samples import stateful_set
from cluster.waiting import until

pytestmark = pytest.mark.scale
MANY = 1000


@pytest.mark.usefixtures("storage_class")
def test_a_thousand_stateful_sets_with_volumes_become_ready(
    cluster: Cluster,
    kwok: Kwok,
    namespace: str,
    record_property: Callable[[str, object], None],
) -> None:
    kwok.add_nodes(50)
    api = cluster.api.within(namespace)
    began = time.monotonic()
    api.apply(*[stateful_set(f"miner-{index}", claim="1Gi") for index in range(MANY)])
    applied = time.monotonic() - began

    def ready() -> bool:
        found = api.list("statefulsets")
        return sum(each["status"].get("readyReplicas", 0) for each in found) == MANY

    until(ready, f"{MANY} StatefulSets are ready", every_seconds=1)
    record_property("apply_seconds", round(applied))
    record_property("ready_seconds", round(time.monotonic() - began))
    # What comes after on this control plane is measured: it must not share it with the removal.
    cluster.api.delete("namespace", namespace, wait=False)
    cluster.api.wait_gone("namespace", namespace)
