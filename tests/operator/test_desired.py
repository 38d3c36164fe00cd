"""What should exist follows from the spec alone: names fit, data is kept, hashes are stable."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cybervein_operator.api import MinerPool, Network, parse
from cybervein_operator.desired import fleet, miner, names, supernode, template
from cybervein_operator.desired.facts import (
    MinerFacts,
    MinerServiceFacts,
    NetworkFacts,
    SuperNodeFacts,
    Volume,
)
from cybervein_operator.desired.operator_secret import operator_secret
from cybervein_protocol.errors import MalformedError

HERE = Path(__file__).parent
FACTS = MinerFacts(NetworkFacts("net", "https://s:7700", "net-network"), "cybervein:1", "cvC", "u")


def pool(*, name: str = "home", **spec: Any) -> MinerPool:
    wanted = {
        "networkRef": {"name": "net"},
        "disks": [{"name": "a", "claimTemplate": {"size": "1Ti"}}],
    }
    meta = {"name": name, "namespace": "vein", "uid": "u"}
    return parse(MinerPool, {"metadata": meta, "spec": wanted | spec})


def network(**super_node: Any) -> Network:
    node = {"storage": {"size": "1Gi"}} | super_node
    meta = {"name": "net", "namespace": "vein", "uid": "u"}
    return parse(Network, {"metadata": meta, "spec": {"preset": "test", "superNode": node}})


def pod(statefulset: dict[str, Any]) -> dict[str, Any]:
    inner: dict[str, Any] = statefulset["spec"]["template"]["spec"]
    return inner


def option(args: list[str], name: str) -> list[str]:
    return [args[i + 1] for i, each in enumerate(args) if each == name]


def test_the_golden_objects_are_what_is_made_now(tmp_path: Path) -> None:
    subprocess.run([sys.executable, HERE / "make_desired_goldens.py", tmp_path], check=True)
    made = {each.name: each.read_text() for each in tmp_path.iterdir()}
    assert made == {each.name: each.read_text() for each in (HERE / "goldens").iterdir()}


def test_an_upgrade_of_the_operator_alone_leaves_templates_as_they_are() -> None:
    before = miner.statefulset(pool(), 0, FACTS)
    newer = MinerFacts(FACTS.network, FACTS.image, FACTS.control, FACTS.url, version="9")
    after = miner.statefulset(pool(), 0, newer)
    assert before["metadata"]["labels"] != after["metadata"]["labels"]
    assert template.of(before) == template.of(after)


def test_pods_pull_with_the_secrets_of_their_spec_and_else_with_the_operators() -> None:
    def secrets(facts: MinerFacts, **spec: Any) -> object:
        made = miner.statefulset(pool(**spec), 0, facts)
        return made["spec"]["template"]["spec"].get("imagePullSecrets")

    theirs = replace(FACTS, pull_secrets=("chart",))
    assert secrets(FACTS) is None
    assert secrets(theirs) == [{"name": "chart"}]
    assert secrets(theirs, imagePullSecrets=["own"]) == [{"name": "own"}]


@pytest.mark.parametrize(
    "change",
    [
        {"plots": {"fill": 1}},
        {"bandwidth": "1Mi"},
        {"image": "other"},
        {"disks": [{"name": "b", "claimTemplate": {"size": 1}}]},
        {"group": "rack"},
        {"scheduling": {"antiAffinity": "Required"}},
    ],
    ids=str,
)
def test_a_change_that_miners_must_restart_for_changes_the_hash(change: dict[str, Any]) -> None:
    before = template.of(miner.statefulset(pool(), 0, FACTS))
    assert template.of(miner.statefulset(pool(**change), 0, FACTS)) != before


@pytest.mark.parametrize(
    "change",
    [{"replicas": 9}, {"drain": ["home-0"]}, {"rollout": {"maxUnavailable": 5}}],
    ids=str,
)
def test_a_change_that_concerns_no_pod_keeps_the_hash(change: dict[str, Any]) -> None:
    before = template.of(miner.statefulset(pool(), 0, FACTS))
    assert template.of(miner.statefulset(pool(**change), 0, FACTS)) == before


def test_growing_a_disk_restarts_nobody() -> None:
    grown = pool(disks=[{"name": "a", "claimTemplate": {"size": "2Ti"}}])
    before = template.of(miner.statefulset(pool(), 0, FACTS))
    assert template.of(miner.statefulset(grown, 0, FACTS)) == before
    assert miner.claims(grown, 0)[1]["spec"]["resources"]["requests"]["storage"] == "2Ti"


def test_data_outlives_the_pool_and_the_rest_goes_with_it() -> None:
    kept = [*miner.claims(pool(), 0), miner.identity(pool(), 0, b"{}")]
    gone = [
        miner.statefulset(pool(), 0, FACTS),
        miner.service(pool(), 0),
        *miner.disks(pool(), 0),
        fleet.disruption_budget(pool()),
    ]
    assert not any("ownerReferences" in each["metadata"] for each in kept)
    assert all(each["metadata"]["ownerReferences"][0]["uid"] == "u" for each in gone)


def test_what_a_network_is_worth_outlives_it() -> None:
    net = network()
    kept = [
        *supernode.claims(net),
        supernode.config_map(net, "{}"),
        operator_secret("vein", "cybervein-operator-tls", {"net.ca.key": b"k"}),
    ]
    gone = [supernode.statefulset(net, SuperNodeFacts("i")), supernode.service(net)]
    assert not any("ownerReferences" in each["metadata"] for each in kept)
    assert all("ownerReferences" in each["metadata"] for each in gone)


def test_an_identity_is_immutable() -> None:
    secret = miner.identity(pool(), 3, b"keys")
    assert secret["immutable"] is True
    assert secret["metadata"]["name"] == "home-3-identity"
    assert secret["data"] == {"identity.json": "a2V5cw=="}


def three(*named: str) -> MinerPool:
    return pool(disks=[{"name": each, "claimTemplate": {"size": "1Gi"}} for each in named])


@pytest.mark.parametrize("gone", ["a", "b", "c"])
def test_taking_a_disk_out_restarts_nobody_before_it_is_drained(gone: str) -> None:
    before = template.of(miner.statefulset(three("a", "b", "c"), 0, FACTS))
    rest = three(*sorted({"a", "b", "c"} - {gone}))
    leaves = replace(FACTS, leaving=(Volume(gone, claim=f"home-0-{gone}"),))
    assert template.of(miner.statefulset(rest, 0, leaves)) == before
    assert template.of(miner.statefulset(rest, 0, FACTS)) != before


def test_the_order_of_disks_means_nothing() -> None:
    before = template.of(miner.statefulset(three("a", "b", "c"), 0, FACTS))
    assert template.of(miner.statefulset(three("c", "a", "b"), 0, FACTS)) == before


def test_a_disk_that_leaves_stays_mounted_until_the_operator_says_so() -> None:
    leaving = MinerFacts(
        FACTS.network, "i", "c", "u", leaving=(Volume("old", claim="home-0-old"), Volume("a", "x"))
    )
    spec = pod(miner.statefulset(pool(), 0, leaving))
    assert option(spec["containers"][0]["args"], "--disk") == [
        "/var/lib/cybervein/disks/a",
        "/var/lib/cybervein/disks/old",
    ]
    claims = {each["name"]: each.get("persistentVolumeClaim") for each in spec["volumes"]}
    assert claims["disk-old"] == {"claimName": "home-0-old"}
    assert claims["disk-a"] == {"claimName": "home-0-a"}  # the spec's disk, not what left once


def test_each_miner_takes_its_own_existing_claim() -> None:
    spread = pool(replicas=2, disks=[{"name": "a", "existingClaims": ["pv-x", "pv-y"]}])
    disks = [miner.disks(spread, n)[0]["spec"]["claim"] for n in (0, 1)]
    assert disks == ["pv-x", "pv-y"]
    assert [each["metadata"]["name"] for each in miner.claims(spread, 1)] == ["home-1-state"]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({}, "$(NODE_NAME)"),
        ({"failureDomain": "Node"}, "$(NODE_NAME)"),
        ({"failureDomain": "Miner"}, "home-4"),
        ({"group": "rack-7"}, "rack-7"),
    ],
    ids=str,
)
def test_a_miner_declares_what_fails_together_with_it(spec: dict[str, Any], expected: str) -> None:
    args = pod(miner.statefulset(pool(**spec), 4, FACTS))["containers"][0]["args"]
    assert option(args, "--group") == [expected]


@pytest.mark.parametrize(
    ("address", "service", "expected"),
    [
        ({}, MinerServiceFacts(), "http://home-2.vein.svc:4100"),
        ({"type": "NodePort", "host": "h"}, MinerServiceFacts(), None),
        ({"type": "NodePort", "host": "h"}, MinerServiceFacts(node_port=31000), "http://h:31000"),
        ({"type": "NodePort", "host": "h", "port": 30000}, MinerServiceFacts(), "http://h:30002"),
        (
            {"type": "NodePort", "host": "::1", "port": 30000},
            MinerServiceFacts(),
            "http://[::1]:30002",
        ),
        ({"type": "LoadBalancer"}, MinerServiceFacts(), None),
        ({"type": "LoadBalancer"}, MinerServiceFacts(ingress="1.2.3.4"), "http://1.2.3.4:4100"),
        ({"type": "HostPort"}, MinerServiceFacts(), "http://$(HOST_IP):4100"),
        ({"type": "HostPort", "host": "pc", "port": 5000}, MinerServiceFacts(), "http://pc:5002"),
    ],
    ids=str,
)
def test_a_miner_is_reached_by_what_its_pool_says(
    address: dict[str, Any], service: MinerServiceFacts, expected: str | None
) -> None:
    assert miner.url(pool(address=address), 2, service) == expected


def test_ports_of_nodes_follow_the_ordinal() -> None:
    by_node = pool(address={"type": "NodePort", "host": "h", "port": 30100})
    by_host = pool(address={"type": "HostPort", "port": 5000})
    free = pool(address={"type": "NodePort", "host": "h"})
    assert miner.service(by_node, 3)["spec"]["ports"][0]["nodePort"] == 30103
    assert "nodePort" not in miner.service(free, 3)["spec"]["ports"][0]
    ports = pod(miner.statefulset(by_host, 3, FACTS))["containers"][0]["ports"]
    assert ports[0]["hostPort"] == 5003


def test_miners_name_the_owner_of_the_spec_and_else_the_operators() -> None:
    def owner(wanted: MinerPool) -> str:
        args = pod(miner.statefulset(wanted, 0, replace(FACTS, owner="cvC")))["containers"][0][
            "args"
        ]
        return str(args[args.index("--owner") + 1])

    assert owner(pool()) == "cvC"
    assert owner(pool(owner="rack-4")) == "rack-4"


def test_names_of_miners_are_read_back_in_one_way_only() -> None:
    assert names.ordinal_of("a", "a-1") == 1
    assert names.ordinal_of("a-1", "a-1-0") == 0
    assert names.ordinal_of("a", "a-1-0") is None
    assert names.ordinal_of("a", "a-01") is None
    assert names.ordinal_of("a", "a-10000") is None
    assert names.ordinal_of("a", "b-1") is None


def test_two_disks_cannot_be_one() -> None:
    twice = pool(
        disks=[
            {"name": "a", "existingClaims": ["c"]},
            {"name": "b", "existingClaims": ["c"]},
            {"name": "d", "hostPath": "/d"},
            {"name": "e", "hostPath": "/d"},
        ],
        bandwidth="1Ki",
    )
    said = fleet.contradictions(twice)
    assert [text.split(";")[0] for text in said] == [
        "claim c is named by 2 disks",
        "hostPath /d is named by 2 disks",
        "bandwidth 1Ki: expected at least 131072 bytes per second",
    ]
    assert fleet.contradictions(pool()) == []


@pytest.mark.parametrize("claim", ["home-0-state", "home-0-b"])
def test_a_disk_is_no_claim_that_the_operator_makes_for_something_else(claim: str) -> None:
    disks = [
        {"name": "a", "existingClaims": [claim]},
        {"name": "b", "claimTemplate": {"size": "1Gi"}},
    ]
    (said,) = fleet.contradictions(pool(disks=disks))
    assert said.startswith(f"claim {claim} is one that the operator makes for this pool")


def test_a_joined_network_has_no_super_node_to_make() -> None:
    joined = parse(Network, {"metadata": {"name": "j"}, "spec": {"join": {"configMap": "c"}}})
    with pytest.raises(MalformedError, match=r"Network j joins .* expected spec\.superNode"):
        supernode.service(joined)


def test_a_certificate_names_the_service_the_published_url_and_what_was_asked() -> None:
    net = network(url="https://veins.example:443", hosts=["192.0.2.1", "veins.example"])
    assert supernode.hosts(net) == [
        "127.0.0.1",
        "192.0.2.1",
        "localhost",
        "net-supernode",
        "net-supernode.vein",
        "net-supernode.vein.svc",
        "net-supernode.vein.svc.cluster.local",
        "veins.example",
    ]


def test_an_own_certificate_and_an_own_claim_are_used_as_they_are() -> None:
    net = network(storage={"existingClaim": "mine"}, tls={"secretName": "cert"})
    facts = SuperNodeFacts("i", private_authority=False)
    spec = pod(supernode.statefulset(net, facts))
    volumes = {each["name"]: each for each in spec["volumes"]}
    assert supernode.claims(net) == []
    assert volumes["data"]["persistentVolumeClaim"] == {"claimName": "mine"}
    assert volumes["tls"]["secret"]["secretName"] == "cert"
    assert "--ca" not in spec["initContainers"][0]["args"]


def files_of(projected: dict[str, Any]) -> list[str]:
    return [each["path"] for each in projected["items"]]


def test_a_private_authority_of_ones_own_comes_from_its_config_map() -> None:
    net = network(tls={"secretName": "cert", "caConfigMap": "ours"})
    spec = pod(supernode.statefulset(net, SuperNodeFacts("i")))
    (tls,) = [each for each in spec["volumes"] if each["name"] == "tls"]
    (secret, authority) = tls["projected"]["sources"]
    assert (secret["secret"]["name"], authority["configMap"]["name"]) == ("cert", "ours")
    assert files_of(secret["secret"]) == ["tls.crt", "tls.key"]
    assert files_of(authority["configMap"]) == ["ca.crt"]
    assert "--ca" in spec["initContainers"][0]["args"]


def test_a_super_node_mounts_its_own_networks_certificate_and_no_authoritys_key() -> None:
    spec = pod(supernode.statefulset(network(), SuperNodeFacts("i")))
    (tls,) = [each["secret"] for each in spec["volumes"] if each["name"] == "tls"]
    keys = {each["key"]: each["path"] for each in tls["items"]}
    assert keys == {"net.tls.crt": "tls.crt", "net.tls.key": "tls.key", "net.ca.crt": "ca.crt"}


def test_the_authority_of_a_network_lies_beside_its_file() -> None:
    document = json.dumps({"v": 1, "ca": "PEM"})
    assert supernode.config_map(network(), document)["data"] == {
        "network.json": document,
        "ca.crt": "PEM",
    }
    assert supernode.config_map(network(), "{}")["data"] == {"network.json": "{}"}


@pytest.mark.parametrize("document", ["", "[]", "{"])
def test_a_network_file_that_is_none_is_refused(document: str) -> None:
    with pytest.raises(MalformedError, match=r"network\.json is no JSON"):
        supernode.config_map(network(), document)


def test_pods_keep_apart_as_asked() -> None:
    def affinity(**scheduling: Any) -> Any:
        spec = pod(miner.statefulset(pool(scheduling=scheduling), 0, FACTS))
        return spec.get("affinity", {}).get("podAntiAffinity")

    zone = "topology.kubernetes.io/zone"
    (term,) = affinity(antiAffinity="Required", topologyKey=zone)[
        "requiredDuringSchedulingIgnoredDuringExecution"
    ]
    assert term["topologyKey"] == zone
    assert term["labelSelector"]["matchLabels"]["cybervein.io/pool"] == "home"
    assert affinity(antiAffinity="None") is None
    assert "preferredDuringSchedulingIgnoredDuringExecution" in affinity()
