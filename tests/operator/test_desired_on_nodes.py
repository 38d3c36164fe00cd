"""Miners on (fake) nodes: they keep apart, and evictions stop no more than a pool bears."""

from typing import Any

import pytest
from cluster.api import Api, ApiError
from cluster.kwok import Kwok, is_ready
from cluster.running import Cluster
from cybervein_operator.api import MinerPool, parse
from cybervein_operator.desired import fleet, miner, names
from cybervein_operator.desired.facts import MinerFacts, NetworkFacts
from waiting import until

pytestmark = pytest.mark.kubernetes
MINERS = 3
HERE = {"cybervein.example/disks": "many"}
FACTS = MinerFacts(NetworkFacts("net", "https://s:7700", "net-network"), "cybervein:1", "cvC", "u")


def pool(namespace: str, storage_class: str) -> MinerPool:
    claim = {"size": "1Gi", "storageClassName": storage_class}
    spec = {
        "networkRef": {"name": "net"},
        "replicas": MINERS,
        "state": claim,
        "disks": [{"name": "a", "claimTemplate": claim}],
        "scheduling": {"antiAffinity": "Required", "nodeSelector": HERE},
    }
    return parse(MinerPool, {"metadata": {"name": "home", "namespace": namespace}, "spec": spec})


def objects(wanted: MinerPool) -> list[dict[str, Any]]:
    found = [fleet.disruption_budget(wanted)]
    for n in range(MINERS):
        found += [*miner.claims(wanted, n), miner.identity(wanted, n, b"{}")]
        found += [miner.service(wanted, n), miner.statefulset(wanted, n, FACTS)]
    for each in found:  # nobody owns them here: the garbage collector would take them away
        each["metadata"].pop("ownerReferences", None)
    return found


def evict(api: Api, namespace: str, pod: str) -> None:
    body = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": pod, "namespace": namespace},
    }
    api.create("pod", pod, "eviction", body)


def ready(api: Api, labels: str) -> list[dict[str, Any]]:
    return [pod for pod in api.list("pods", labels=labels) if is_ready(pod)]


def one_is_missing(pdb: dict[str, Any]) -> bool:
    status = pdb["status"]
    return (status["expectedPods"], status["currentHealthy"]) == (MINERS, MINERS - 1)


def test_miners_keep_apart_and_one_at_a_time_is_evicted(
    cluster: Cluster, kwok: Kwok, storage_class: str, namespace: str
) -> None:
    nodes = kwok.add_nodes(MINERS, HERE)
    api = cluster.api.within(namespace)
    wanted = pool(namespace, storage_class)
    api.apply(*objects(wanted))
    labels = names.selector_text(wanted)
    until(lambda: len(ready(api, labels)) == MINERS, "all miners are Ready")

    assert {pod["spec"]["nodeName"] for pod in ready(api, labels)} == set(nodes)
    api.wait(
        "pdb", "home", lambda each: each["status"].get("disruptionsAllowed") == 1, "allows one"
    )

    cluster.kubectl("cordon", *nodes)  # what is evicted waits, and is missing meanwhile
    evict(api, namespace, "home-1-0")
    until(lambda: len(ready(api, labels)) == MINERS - 1, "one miner is gone")
    # Expected are pods whose StatefulSets have one: for a moment, until it is made again, one less.
    api.wait("pdb", "home", one_is_missing, "counts the miner that is missing")
    with pytest.raises(ApiError, match="would violate the pod's disruption budget"):
        evict(api, namespace, "home-2-0")
    cluster.kubectl("uncordon", *nodes)
    until(lambda: len(ready(api, labels)) == MINERS, "all miners are Ready again")
