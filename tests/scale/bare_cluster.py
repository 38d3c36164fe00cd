"""A thousand StatefulSets in the test cluster without an operator: what ours is held against.

Only `make bench RACE=kubernetes` runs it; the same thousand with the operator are in the tests.
"""

import time

import pytest
from cluster.kwok import Kwok
from cluster.running import Cluster
from cluster.samples import stateful_set
from measure import record
from waiting import until

pytestmark = pytest.mark.scale
MANY = 1000


@pytest.mark.usefixtures("storage_class")
def test_a_thousand_stateful_sets_with_volumes_become_ready(
    cluster: Cluster, kwok: Kwok, namespace: str
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
    took = time.monotonic() - began
    record({"bare_apply_seconds": round(applied), "bare_ready_seconds": round(took)})
