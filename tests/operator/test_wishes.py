"""What a person adds to pods and Services is there; what the operator says stays as it is."""

from typing import Any

import pytest
from cluster.rest import Object
from cybervein_operator.api import MinerPool, Network, parse
from cybervein_operator.desired import miner, supernode
from cybervein_operator.desired.facts import MinerFacts, NetworkFacts, SuperNodeFacts
from operator_lab import API, Lab

FACTS = MinerFacts(NetworkFacts("net", "https://s:7700", "net-network"), "cybervein:1", "cvC", "u")
PODS: dict[str, Any] = {
    "labels": {"team": "storage"},
    "annotations": {"example.com/scrape": "true"},
    "env": [
        {"name": "HTTPS_PROXY", "value": "http://proxy:3128"},
        {"name": "LICENCE", "valueFrom": {"secretKeyRef": {"name": "licence", "key": "key"}}},
    ],
    "affinity": {
        "nodeAffinity": {
            "preferredDuringSchedulingIgnoredDuringExecution": [
                {
                    "weight": 1,
                    "preference": {"matchExpressions": [{"key": "disks", "operator": "Exists"}]},
                }
            ]
        },
        "podAntiAffinity": {
            "preferredDuringSchedulingIgnoredDuringExecution": [
                {
                    "weight": 5,
                    "podAffinityTerm": {
                        "labelSelector": {"matchLabels": {"noisy": "true"}},
                        "topologyKey": "kubernetes.io/hostname",
                    },
                }
            ]
        },
    },
    "topologySpreadConstraints": [
        {"topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway"}
    ],
    "priorityClassName": "wished",
    "runtimeClassName": "wished",
    "hostAliases": [{"ip": "192.0.2.7", "hostnames": ["veins.example"]}],
    "dnsPolicy": "None",
    "dnsConfig": {"nameservers": ["192.0.2.53"], "options": [{"name": "ndots", "value": "2"}]},
}
SERVICE: dict[str, Any] = {
    "annotations": {"example.com/balancer": "small"},
    "labels": {"team": "network"},
    "loadBalancerClass": "example.com/inside",
    "loadBalancerSourceRanges": ["192.0.2.0/24"],
    "externalTrafficPolicy": "Local",
}


def pool(**spec: Any) -> MinerPool:
    wanted = {
        "networkRef": {"name": "net"},
        "disks": [{"name": "a", "claimTemplate": {"size": "1Ti"}}],
    }
    meta = {"name": "home", "namespace": "vein", "uid": "u"}
    return parse(MinerPool, {"metadata": meta, "spec": wanted | spec})


def network(**node: Any) -> Network:
    meta = {"name": "net", "namespace": "vein", "uid": "u"}
    own = {"storage": {"size": "1Gi"}} | node
    return parse(Network, {"metadata": meta, "spec": {"preset": "test", "superNode": own}})


@pytest.mark.parametrize("nothing", [{}, {"podTemplate": {}}], ids=str)
def test_who_wishes_nothing_gets_what_there_was(nothing: dict[str, Any]) -> None:
    before = miner.statefulset(pool(), 0, FACTS)
    assert miner.statefulset(pool(**nothing), 0, FACTS) == before
    assert miner.service(pool(address={"service": {}}), 0) == miner.service(pool(), 0)
    node = SuperNodeFacts("i")
    assert supernode.statefulset(network(**nothing), node) == supernode.statefulset(network(), node)


def test_the_operators_labels_and_variables_win_over_a_wish_that_no_rule_has_seen() -> None:
    labels = {"cybervein.io/pool": "other", "team": "storage"}
    made = miner.statefulset(pool(podTemplate={"labels": labels}), 0, FACTS)
    given = made["spec"]["template"]["metadata"]["labels"]
    assert (given["cybervein.io/pool"], given["team"]) == ("home", "storage")
    served = miner.service(pool(address={"service": {"labels": labels}}), 0)
    assert served["metadata"]["labels"]["cybervein.io/pool"] == "home"
    assert served["spec"]["selector"] == miner.service(pool(), 0)["spec"]["selector"]


def test_a_wished_affinity_stands_beside_that_of_the_pool() -> None:
    both = pool(podTemplate={"affinity": PODS["affinity"]})
    affinity = miner.statefulset(both, 0, FACTS)["spec"]["template"]["spec"]["affinity"]
    terms = affinity["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    assert [each["weight"] for each in terms] == [100, 5]
    assert affinity["nodeAffinity"] == PODS["affinity"]["nodeAffinity"]


@pytest.mark.parametrize("text", ["10.42.1.0/16", "::1::/64", "10.0.0.0/40"])
def test_a_network_that_is_none_is_told_before_the_super_node_stops_over_it(text: str) -> None:
    said = supernode.wrong(network(freeFrom=["10.42.0.0/16", text]))
    assert text.partition("/")[0] in said
    assert "expected a network such as 10.42.0.0/16" in said
    assert supernode.wrong(network(freeFrom=["10.42.0.0/16", "fd00::/8"])) == ""


def classes() -> list[Object]:
    return [
        {
            "apiVersion": "scheduling.k8s.io/v1",
            "kind": "PriorityClass",
            "metadata": {"name": "wished"},
            "value": 5,
        },
        {
            "apiVersion": "node.k8s.io/v1",
            "kind": "RuntimeClass",
            "metadata": {"name": "wished"},
            "handler": "any",
        },
    ]


def check_pod(template: Object) -> None:
    spec = template["spec"]
    assert template["metadata"]["labels"]["team"] == "storage"
    assert template["metadata"]["annotations"] == PODS["annotations"]
    for container in [*spec["containers"], *spec.get("initContainers", [])]:
        assert [each for each in container["env"] if each in PODS["env"]] == PODS["env"]
    (spread,) = spec["topologySpreadConstraints"]
    own = spread["labelSelector"]["matchLabels"].items()
    assert own <= template["metadata"]["labels"].items()
    for key in ("priorityClassName", "runtimeClassName", "hostAliases", "dnsPolicy", "dnsConfig"):
        assert spec[key] == PODS[key]
    assert spec["affinity"]["nodeAffinity"] == PODS["affinity"]["nodeAffinity"]


def check_service(found: Object) -> None:
    assert SERVICE["annotations"].items() <= found["metadata"]["annotations"].items()
    assert found["metadata"]["labels"]["team"] == "network"
    for key in ("loadBalancerClass", "loadBalancerSourceRanges", "externalTrafficPolicy"):
        assert found["spec"][key] == SERVICE[key]


@pytest.mark.kubernetes
def test_pods_and_services_of_miners_and_super_node_have_what_is_wished(lab: Lab) -> None:
    lab.api.apply(*classes())
    lab.super_node("own")
    own = {
        "storage": {"size": "1Gi"},
        "podTemplate": PODS,
        "service": {"type": "LoadBalancer"} | SERVICE,
        "freeFrom": ["10.42.0.0/16"],
    }
    spec = {"preset": "test", "superNode": own}
    lab.api.apply({"apiVersion": API, "kind": "Network", "metadata": {"name": "own"}, "spec": spec})
    lab.pool(networkRef={"name": "own"}, podTemplate=PODS)
    lab.pool(
        "far", networkRef={"name": "own"}, address={"type": "LoadBalancer", "service": SERVICE}
    )
    lab.ready("home", 1)
    node = lab.wait("statefulset", "own-supernode", bool, "is there")["spec"]["template"]
    check_pod(node)
    args = node["spec"]["containers"][0]["args"]
    assert args[args.index("--free-from") + 1] == "10.42.0.0/16"
    check_pod(lab.wait("pod", "home-0-0", bool, "is there"))
    for service in ("own-supernode", "far-0"):
        check_service(lab.wait("service", service, bool, "is there"))
