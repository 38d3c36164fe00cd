"""Whatever spec the server takes: its objects are restricted, named within limits and stable."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from cluster.api import Api, ApiError
from cluster.running import Cluster
from cybervein_operator.api import MinerPool, Network, parse
from cybervein_operator.api.pool import BANDWIDTH_MIN
from cybervein_operator.api.quantity import number
from cybervein_operator.desired import fleet, miner, supernode, template
from cybervein_operator.desired.facts import (
    MinerFacts,
    MinerServiceFacts,
    NetworkFacts,
    SuperNodeFacts,
    Volume,
)
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

DNS_1035 = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?")

names = st.from_regex(r"[a-z]([-a-z0-9]{0,38}[a-z0-9])?", fullmatch=True)
disk_names = st.from_regex(r"[a-z][a-z0-9]{0,16}", fullmatch=True).filter(lambda x: x != "state")
claims = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?", fullmatch=True)
quantities = st.one_of(
    st.integers(1, 2**50), st.from_regex(r"[1-9][0-9]{0,2}([KMGT]i|[kMGT])?", fullmatch=True)
)
sizes = st.one_of(
    st.integers(2**26, 2**50), st.from_regex(r"[1-9][0-9]{0,2}([GT]i|[GT])", fullmatch=True)
)
"""Of disks, which have a minimum. From 8Pi on the API server warns: in thousandths it overflows."""
labels = st.from_regex(r"[!-~]{1,64}", fullmatch=True)


def optional(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


disks = st.fixed_dictionaries({"name": disk_names}).flatmap(
    lambda named: st.one_of(
        st.builds(lambda size: named | {"claimTemplate": {"size": size}}, sizes),
        st.builds(
            lambda c: named | {"existingClaims": c},
            st.lists(claims, min_size=8, max_size=9, unique=True),
        ),
        st.just(named | {"hostPath": f"/srv/{named['name']}"}),
    )
)
tolerations = st.one_of(
    st.just({"operator": "Exists"}),
    st.builds(lambda key: {"key": key, "operator": "Exists"}, names),
    st.builds(lambda key, value: {"key": key, "value": value}, names, names),
)
addresses = st.sampled_from(
    [
        {},
        {"type": "NodePort", "host": "nodes.example"},
        {"type": "NodePort", "host": "192.0.2.1", "port": 30000},
        {"type": "LoadBalancer"},
        {
            "type": "LoadBalancer",
            "service": {"annotations": {"a": "b"}, "loadBalancerClass": "a/b"},
        },
        {"type": "HostPort"},
        {"type": "HostPort", "host": "::1", "port": 5000},
    ]
)
resources = optional(
    requests=st.dictionaries(st.sampled_from(["cpu", "memory"]), quantities),
    limits=st.dictionaries(st.sampled_from(["cpu", "memory"]), quantities),
)
templates = optional(
    labels=st.dictionaries(names, names, max_size=2),
    annotations=st.dictionaries(names, labels, max_size=2),
    env=st.lists(
        st.builds(
            lambda name, value: {"name": f"WISH_{name.upper().replace('-', '_')}", "value": value},
            names,
            labels,
        ),
        max_size=2,
        unique_by=lambda each: each["name"],
    ),
    topologySpreadConstraints=st.just(
        [{"topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}]
    ),
    hostAliases=st.just([{"ip": "::1", "hostnames": ["veins.example"]}]),
    dnsPolicy=st.sampled_from(["ClusterFirst", "Default"]),
)
specs = st.fixed_dictionaries(
    {
        "networkRef": st.builds(lambda name: {"name": name}, names),
        "disks": st.lists(disks, min_size=1, max_size=5, unique_by=lambda disk: disk["name"]),
    },
    optional={
        "replicas": st.integers(0, 8),
        "owner": labels,
        "group": labels,
        "failureDomain": st.sampled_from(["Miner", "Node"]),
        "plots": optional(
            fill=st.integers(0, 1000),
            count=st.integers(0, 1_000_000),
            floor=quantities,
            threads=st.integers(1, 256),
        ),
        "bandwidth": quantities.filter(lambda value: number(value) >= BANDWIDTH_MIN),
        "address": addresses,
        "podTemplate": templates,
        "resources": optional(miner=resources, sidecar=resources),
        "scheduling": optional(
            antiAffinity=st.sampled_from(["None", "Preferred", "Required"]),
            nodeSelector=st.dictionaries(names, names, max_size=2),
            tolerations=st.lists(tolerations, max_size=2),
        ),
        "image": st.just("other:1"),
        "imagePullPolicy": st.sampled_from(["Always", "IfNotPresent", "Never"]),
    },
)
# A busy machine is not slow code: no deadlines.
PURE = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
pools = st.builds(
    lambda name, spec: {"metadata": {"name": name, "namespace": "n", "uid": "u"}, "spec": spec},
    names,
    specs,
)
networks = st.builds(
    lambda name, node: {
        "metadata": {"name": name, "namespace": "n", "uid": "u"},
        "spec": {"preset": "test", "superNode": {"storage": {"size": "1Gi"}} | node},
    },
    names,
    optional(
        service=st.sampled_from([{}, {"type": "NodePort", "nodePort": 30000}]),
        url=st.just("https://veins.example:7700"),
        hosts=st.lists(names, max_size=3, unique=True),
        podTemplate=templates,
        freeFrom=st.just(["10.42.0.0/16", "fd00::/8"]),
        resources=resources,
        nodeSelector=st.dictionaries(names, names, max_size=2),
    ),
)


def of_pool(body: dict[str, Any], ordinal: int) -> list[dict[str, Any]]:
    pool = parse(MinerPool, body)
    url = miner.url(pool, ordinal, MinerServiceFacts(31000, "192.0.2.9"))
    assert url is not None
    facts = MinerFacts(
        NetworkFacts("net", "https://s:7700", "net-network"),
        "cybervein:1",
        "cvC",
        url,
        leaving=(Volume("gone", claim="gone"),),
        pull_secrets=("registry",),
    )
    return [
        miner.statefulset(pool, ordinal, facts),
        miner.service(pool, ordinal),
        *miner.claims(pool, ordinal),
        miner.identity(pool, ordinal, b"{}"),
        *miner.disks(pool, ordinal),
        fleet.disruption_budget(pool),
    ]


def of_network(body: dict[str, Any]) -> list[dict[str, Any]]:
    network = parse(Network, body)
    return [
        supernode.statefulset(network, SuperNodeFacts("cybervein:1")),
        supernode.service(network),
        *supernode.claims(network),
        supernode.config_map(network, "{}"),
    ]


def sound(spec: dict[str, Any]) -> dict[str, Any]:
    """The nearest spec that breaks no rule between fields."""
    if "group" in spec:
        spec.pop("failureDomain", None)
    if any("hostPath" in disk for disk in spec["disks"]):
        spec.setdefault("scheduling", {})["antiAffinity"] = "Required"
    for each in spec.get("resources", {}).values():
        each.pop("limits", None)
    return spec


def violations(pod: dict[str, Any]) -> set[str]:
    """What Pod Security `restricted` (1.34) says against a pod's spec."""
    found = {"hostPath" for volume in pod["volumes"] if "hostPath" in volume}
    found |= {key for key in ("hostNetwork", "hostPID", "hostIPC") if pod.get(key)}
    if pod["securityContext"]["seccompProfile"]["type"] != "RuntimeDefault":
        found.add("seccompProfile")
    for container in pod["containers"] + pod.get("initContainers", []):
        security = container["securityContext"]
        found |= {"hostPort" for port in container.get("ports", []) if port.get("hostPort")}
        found |= {"privileged"} if security.get("privileged") else set()
        found |= set() if security["allowPrivilegeEscalation"] is False else {"escalation"}
        found |= set() if security["capabilities"] == {"drop": ["ALL"]} else {"capabilities"}
        found |= set() if security["runAsNonRoot"] is True else {"root"}
    return found


def asked_for(spec: dict[str, Any]) -> set[str]:
    asked = {"hostPath" for disk in spec["disks"] if "hostPath" in disk}
    return asked | ({"hostPort"} if spec.get("address", {}).get("type") == "HostPort" else set())


def check_names(objects: list[dict[str, Any]]) -> None:
    keys = [(each["kind"], each["metadata"]["name"]) for each in objects]
    assert len(set(keys)) == len(keys)
    for each in objects:
        name = each["metadata"]["name"]
        assert len(name) <= 63
        assert DNS_1035.fullmatch(name)
        for value in each["metadata"]["labels"].values():
            assert len(value) <= 63
            assert LABEL_VALUE.fullmatch(value)
        if each["kind"] == "StatefulSet":
            assert len(f"{name}-0123456789") <= 63  # the label of its revision


def check_selector(statefulset: dict[str, Any], service: dict[str, Any]) -> None:
    labels = statefulset["spec"]["template"]["metadata"]["labels"].items()
    assert statefulset["spec"]["selector"]["matchLabels"].items() <= labels
    assert service["spec"]["selector"].items() <= labels


def check_mounts(pod: dict[str, Any]) -> None:
    volumes = [each["name"] for each in pod["volumes"]]
    assert len(set(volumes)) == len(volumes)
    for container in pod["containers"] + pod.get("initContainers", []):
        paths = [each["mountPath"] for each in container["volumeMounts"]]
        assert len(set(paths)) == len(paths)
        assert {each["name"] for each in container["volumeMounts"]} <= set(volumes)
        assert all(isinstance(each, str) for each in container["args"])


@PURE
@given(pools, st.integers(0, 7))
def test_any_pool_gets_sound_objects(body: dict[str, Any], ordinal: int) -> None:
    objects = of_pool(body, ordinal)
    pod = objects[0]["spec"]["template"]["spec"]
    assert violations(pod) == asked_for(body["spec"])
    check_names(objects)
    check_selector(objects[0], objects[1])
    check_mounts(pod)


@PURE
@given(networks)
def test_any_network_gets_sound_objects(body: dict[str, Any]) -> None:
    objects = of_network(body)
    pod = objects[0]["spec"]["template"]["spec"]
    assert violations(pod) == set()
    check_names(objects)
    check_selector(objects[0], objects[1])
    check_mounts(pod)


@PURE
@given(pools, st.integers(0, 7))
def test_equal_specs_give_equal_objects_whatever_the_order_of_their_fields(
    body: dict[str, Any], ordinal: int
) -> None:
    turned = json.loads(json.dumps(body), object_pairs_hook=lambda items: dict(reversed(items)))
    first, second = of_pool(body, ordinal), of_pool(turned, ordinal)
    assert template.of(first[0]) == template.of(second[0])
    assert first == second


@PURE
@given(pools, st.integers(0, 6))
def test_no_two_miners_share_a_volume_an_object_or_an_identity(
    body: dict[str, Any], ordinal: int
) -> None:
    one, other = (of_pool(body, n) for n in (ordinal, ordinal + 1))

    def own(objects: list[dict[str, Any]]) -> set[str]:
        shared = "PodDisruptionBudget"
        return {f"{x['kind']}/{x['metadata']['name']}" for x in objects if x["kind"] != shared}

    assert not own(one) & own(other)


@PURE
@given(names, st.integers(0, 9999), disk_names, names, st.integers(0, 9999), disk_names)
def test_a_disk_name_can_be_read_in_one_way_only(  # noqa: PLR0913, PLR0917 -- two of each
    pool: str, ordinal: int, disk: str, other: str, number: int, second: str
) -> None:
    if (pool, ordinal, disk) != (other, number, second):
        assert f"{pool}-{ordinal}-{disk}" != f"{other}-{number}-{second}"


# Each example is many calls of an API server: few of them, and no minutes of shrinking.
SERVER = settings(
    max_examples=15,
    deadline=None,
    phases=(Phase.generate,),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
STRICT = {"dry_run": True, "warnings_are_errors": True}


@pytest.fixture(scope="module")
def server(cluster: Cluster, custom_kinds: None) -> Iterator[Api]:
    del custom_kinds
    cluster.make_namespace("restricted")
    cluster.make_namespace("loose", pod_security=False)
    yield cluster.api
    cluster.api.delete("namespace", "restricted", wait=False)
    cluster.api.delete("namespace", "loose", wait=False)


def moved(objects: list[dict[str, Any]], namespace: str) -> list[dict[str, Any]]:
    return [x | {"metadata": x["metadata"] | {"namespace": namespace}} for x in objects]


@pytest.mark.kubernetes
@SERVER
@given(body=pools, ordinal=st.integers(0, 7))
def test_a_server_takes_any_pool_and_its_objects_without_a_warning(
    server: Api, body: dict[str, Any], ordinal: int
) -> None:
    body["spec"] = sound(body["spec"])
    namespace = "loose" if asked_for(body["spec"]) else "restricted"
    resource = {"apiVersion": "cybervein.io/v1alpha1", "kind": "MinerPool"}
    objects = [
        resource | {"metadata": {"name": body["metadata"]["name"]}, "spec": body["spec"]},
        *of_pool(body, ordinal),
    ]
    server.within(namespace).apply(*moved(objects, namespace), **STRICT)


@pytest.mark.kubernetes
@SERVER
@given(body=networks)
def test_a_server_takes_any_network_and_its_objects_without_a_warning(
    server: Api, body: dict[str, Any]
) -> None:
    for each in (body["spec"]["superNode"].get("resources", {}),):
        each.pop("limits", None)
    resource = {"apiVersion": "cybervein.io/v1alpha1", "kind": "Network"}
    objects = [
        resource | {"metadata": {"name": body["metadata"]["name"]}, "spec": body["spec"]},
        *of_network(body),
    ]
    server.within("restricted").apply(*moved(objects, "restricted"), **STRICT)


@pytest.mark.kubernetes
def test_a_server_warns_of_what_a_restricted_namespace_would_refuse(server: Api) -> None:
    """That the tests above would notice: a pool with a host path, in the wrong namespace."""
    spec = {"networkRef": {"name": "n"}, "disks": [{"name": "a", "hostPath": "/srv/a"}]}
    objects = of_pool({"metadata": {"name": "p", "namespace": "n", "uid": "u"}, "spec": spec}, 0)
    with pytest.raises(ApiError, match="would violate PodSecurity"):
        server.within("restricted").apply(*moved(objects, "restricted"), **STRICT)


@pytest.mark.kubernetes
def test_applying_the_same_again_writes_nothing(server: Api) -> None:
    """Or a thousand miners at rest would be a thousand writes at each resync."""
    api = server.within("restricted")
    disks = [{"name": "a", "claimTemplate": {"size": "1Gi"}}]
    cpu = {"requests": {"cpu": 1, "memory": "1024Mi"}}
    spec = {"networkRef": {"name": "n"}, "disks": disks, "resources": {"miner": cpu}}
    meta = {"name": "still", "namespace": "restricted", "uid": "u"}
    objects = of_pool({"metadata": meta, "spec": spec}, 0)
    objects += of_network(
        {
            "metadata": {"name": "still", "namespace": "restricted", "uid": "u"},
            "spec": {"preset": "test", "superNode": {"storage": {"size": "1Gi"}}},
        }
    )
    for each in objects:  # nobody owns them here: the garbage collector would take them away
        each["metadata"].pop("ownerReferences", None)
    api.apply(*objects)
    before = versions(api, objects)
    api.apply(*objects)
    assert versions(api, objects) == before


def versions(api: Api, objects: list[dict[str, Any]]) -> dict[str, str]:
    """Generations, which only a change of the spec moves, and the times of our own writes."""
    found = {}
    for each in objects:
        live = api.get(each["kind"], each["metadata"]["name"])
        assert live is not None
        meta = live["metadata"]
        ours = [x["time"] for x in meta["managedFields"] if x["manager"] == "test"]
        found[f"{each['kind']}/{meta['name']}"] = f"{meta.get('generation')} {ours}"
    return found


@pytest.mark.kubernetes
def test_a_server_takes_every_change_of_a_pool(server: Api) -> None:
    api = server.within("loose")
    meta = {"name": "moving", "namespace": "loose", "uid": "u"}
    base = {"networkRef": {"name": "n"}, "disks": [{"name": "a", "claimTemplate": {"size": "1Gi"}}]}
    changes: list[dict[str, Any]] = [
        {},
        {"address": {"type": "NodePort", "host": "h"}},
        {"address": {"type": "NodePort", "host": "h", "port": 30555}},
        {"address": {"type": "LoadBalancer"}},
        {"address": {"type": "HostPort"}},
        {"disks": [{"name": "b", "hostPath": "/srv/b"}, *base["disks"]]},
        {"scheduling": {"antiAffinity": "None"}},
        {"scheduling": {"antiAffinity": "Required", "nodeSelector": {"a": "b"}}},
        {"resources": {"miner": {"limits": {"memory": "1Gi"}}}},
        {},
    ]
    for change in changes:
        objects = of_pool({"metadata": meta, "spec": base | change}, 0)
        for each in objects:
            each["metadata"].pop("ownerReferences", None)
        api.apply(*objects)
    service = api.get("service", "moving-0")
    assert service is not None
    assert service["spec"]["type"] == "ClusterIP"
    assert "nodePort" not in service["spec"]["ports"][0]
    statefulset = api.get("statefulset", "moving-0")
    assert statefulset is not None
    pod = statefulset["spec"]["template"]["spec"]
    assert "nodeSelector" not in pod
    assert [x["name"] for x in pod["volumes"] if x["name"].startswith("disk-")] == [
        "disk-a",
        "disk-gone",
    ]
