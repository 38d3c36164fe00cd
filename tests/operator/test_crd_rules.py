"""Every rule of the definitions is broken once, on a real API server, and its message is read."""

import copy
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import yaml
from cluster.api import Api, ApiError
from cluster.running import Cluster
from cybervein_operator.crd import definitions
from operator_lab import ROOT
from waiting import until

WALLET = "cv2xBpaHottqhwFZURMZW4uZduQvpxNDSy46iXMYs9kceNGaPpZX"
CLAIM = {"claimTemplate": {"size": "1Ti"}}
SPECS: dict[str, dict[str, Any]] = {
    "MinerPool": {"networkRef": {"name": "net"}, "disks": [{"name": "a"} | CLAIM]},
    "Network": {"preset": "local", "superNode": {"storage": {"size": "1Gi"}}},
    "MinerDisk": {"pool": "p", "miner": "p-0", "disk": "a", "claim": "p-0-a"},
}
NAMES = {"MinerPool": "p", "Network": "n", "MinerDisk": "p-0-a"}


@dataclass(frozen=True)
class Case:
    """`spec` is refused with `says`; after `before` and `status`, if it is about a change."""

    kind: str
    says: str
    spec: dict[str, Any]
    before: dict[str, Any] | None = None
    status: dict[str, Any] | None = None

    def __str__(self) -> str:
        return f"{self.kind}: {self.says[:60]}"


def merged(base: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """A JSON merge patch: None removes."""
    result = copy.deepcopy(base)
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = merged(result[key], value)
        else:
            result[key] = value
    return result


def pool(
    says: str,
    spec: dict[str, Any],
    before: dict[str, Any] | None = None,
    status: dict[str, Any] | None = None,
) -> Case:
    return Case("MinerPool", says, spec, before, status)


def registered(**has: Any) -> dict[str, Any]:
    """A status of a pool that the ledger knows."""
    return {"registered": {"miners": 1} | has}


def net(says: str, spec: dict[str, Any], before: dict[str, Any] | None = None) -> Case:
    return Case("Network", says, spec, before)


def disk(
    says: str,
    spec: dict[str, Any],
    before: dict[str, Any] | None = None,
    status: dict[str, Any] | None = None,
) -> Case:
    return Case("MinerDisk", says, spec, before, status)


def one_disk(**fields: Any) -> dict[str, Any]:
    return {"disks": [{"name": "a"} | fields]}


def node(**fields: Any) -> dict[str, Any]:
    return {"superNode": fields}


NIGHT = {"start": "02:00", "durationMinutes": 60}
ONE_OF = "a disk is exactly one of claimTemplate, existingClaims and hostPath"
KEEPS_CLASS = "storageClassName cannot change: a claim keeps its class; add a disk of another name"
RESTORE = "storageClassName cannot change: a claim keeps its class; restore a copy of the data"
SIZE_OR_CLAIM = "give either size (a claim is made) or existingClaim (your own), not both"
NET_OR_JOIN = "give exactly one of superNode (found a network here) and join"
BACKUP_TO = "a backup goes to exactly one of claimTemplate, existingClaim and s3"
DRAINED = "wipe is accepted only for a disk in phase Drained; set drain: true and wait for it"
SAME_ID = "wipe must repeat status.diskId"
TO_EXISTS = {"tolerations": [{"key": "k", "operator": "Exists", "value": "v"}]}
NO_KEY = {"tolerations": [{"effect": "NoSchedule"}]}
KEEPS_OWNER = "owner cannot change: the ledger keeps that of the registration"
KEEPS_GROUP = "group and failureDomain cannot change: the ledger keeps the group"
TOO_MUCH = {"requests": {"cpu": 2, "memory": "2Gi"}, "limits": {"memory": "1024Mi"}}

OWN_LABEL = "labels cybervein.io/* and app.kubernetes.io/name, instance, component and managed-by"
OWN_NOTE = "annotations cybervein.io/* are the operator's"
OWN_VARIABLE = "CYBERVEIN_*, LD_*, PYTHON*, HOME, HOST_IP, NODE_NAME and PATH are the operator's or"
BALANCER = "loadBalancerClass and loadBalancerSourceRanges are for type LoadBalancer"
TRAFFIC = "externalTrafficPolicy is for types NodePort and LoadBalancer"
WAITS = {"topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway", "minDomains": 2}


def pods(says: str, **template: Any) -> list[Case]:
    """The same of miners and of a super node."""
    wish = {"podTemplate": template}
    return [pool(says, wish), net(says, node(**wish))]


def service(says: str, **options: Any) -> list[Case]:
    return [
        pool(says, {"address": {"service": options}}),
        net(says, node(service=options)),
    ]


def variable(**fields: Any) -> dict[str, Any]:
    return {"env": [{"name": "A"} | fields]}


RULES = [
    *pods(OWN_LABEL, labels={"cybervein.io/pool": "other"}),
    *pods(OWN_LABEL, labels={"app.kubernetes.io/component": "other"}),
    *pods(OWN_NOTE, annotations={"cybervein.io/template": "0"}),
    *pods(OWN_VARIABLE, **variable(name="CYBERVEIN_CONTROL", value="cv1")),
    *pods(OWN_VARIABLE, **variable(name="LD_PRELOAD", value="x.so")),
    *pods(OWN_VARIABLE, **variable(name="NODE_NAME", value="other")),
    *pods(
        "a variable has either value or valueFrom",
        **variable(value="x", valueFrom={"configMapKeyRef": {"name": "c", "key": "k"}}),
    ),
    *pods("valueFrom is exactly one of secretKeyRef", **variable(valueFrom={})),
    *pods("dnsPolicy None asks nobody", dnsPolicy="None"),
    *pods("minDomains is for whenUnsatisfiable", topologySpreadConstraints=[WAITS]),
    pool(
        "give priorityClassName either in podTemplate or in scheduling",
        {
            "podTemplate": {"priorityClassName": "a"},
            "scheduling": {"priorityClassName": "b"},
        },
    ),
    *service(OWN_LABEL, labels={"app.kubernetes.io/name": "other"}),
    *service(OWN_NOTE, annotations={"cybervein.io/any": "x"}),
    *service(BALANCER, loadBalancerClass="example.com/inside"),
    *service(BALANCER, loadBalancerSourceRanges=["192.0.2.0/24"]),
    *service(TRAFFIC, externalTrafficPolicy="Local"),
    pool("networkRef.name cannot change", {"networkRef": {"name": "other"}}, {}),
    pool(ONE_OF, one_disk()),
    pool(ONE_OF, one_disk(**CLAIM, hostPath="/srv/a")),
    pool(ONE_OF, one_disk(existingClaims=["x"], hostPath="/srv/a")),
    pool(
        "the disk name state is taken by the miner's journal",
        {"disks": [{"name": "state"} | CLAIM]},
    ),
    pool(
        KEEPS_CLASS,
        one_disk(claimTemplate={"size": "9Gi", "storageClassName": "b"}),
        one_disk(claimTemplate={"size": "9Gi", "storageClassName": "a"}),
    ),
    pool(KEEPS_CLASS, one_disk(claimTemplate={"size": "1Ti", "storageClassName": "b"}), {}),
    pool(KEEPS_CLASS, {"state": {"size": "1Gi", "storageClassName": "b"}}, {}),
    pool("claimTemplate.size is at least 64Mi", one_disk(claimTemplate={"size": "65535Ki"})),
    pool("claimTemplate.size is at least 64Mi", one_disk(claimTemplate={"size": 1024})),
    pool("state.size is at least 32Mi", {"state": {"size": "33M"}}),
    pool("bandwidth is bytes per second, at least 131072 (128Ki)", {"bandwidth": "1"}),
    pool("bandwidth is bytes per second, at least 131072 (128Ki)", {"bandwidth": 131_071}),
    pool(
        "existingClaims of each disk must name at least as many claims as there are replicas",
        {"replicas": 2} | one_disk(existingClaims=["x"]),
    ),
    pool(
        "give either group (one for the whole pool) or failureDomain, not both",
        {"group": "rack", "failureDomain": "Node"},
    ),
    pool(
        "hostPath with two or more replicas needs scheduling.antiAffinity Required",
        {"replicas": 2} | one_disk(hostPath="/srv/a"),
    ),
    pool(
        "hostPath with two or more replicas needs scheduling.antiAffinity Required",
        {"replicas": 2, "scheduling": {"antiAffinity": "Required", "topologyKey": "zone"}}
        | one_disk(hostPath="/srv/a"),
    ),
    pool(
        "address.port + replicas - 1 exceeds 65535: each miner has its own port",
        {"replicas": 3, "address": {"type": "HostPort", "port": 65534}},
    ),
    pool("host is required for type NodePort", {"address": {"type": "NodePort"}}),
    pool("host is for types NodePort and HostPort", {"address": {"host": "h"}}),
    pool(
        "port is for types NodePort and HostPort",
        {"address": {"type": "LoadBalancer", "port": 4100}},
    ),
    pool(
        "port of type NodePort lies in the cluster's range of node ports",
        {"address": {"type": "NodePort", "host": "h", "port": 80}},
    ),
    pool("drain names miners of this pool: POOL-N", {"drain": ["p-0", "q-0"]}),
    pool("drain names miners of this pool: POOL-N", {"drain": ["p-0-0"]}),
    pool("timeZone is not known", {"rollout": {"window": NIGHT | {"timeZone": "Berlin"}}}),
    pool(KEEPS_OWNER, {"owner": "b"}, {"owner": "a"}, registered(owner="a")),
    pool(KEEPS_OWNER, {"owner": "b"}, {}, registered(owner="a")),
    pool(KEEPS_OWNER, {"owner": "b"}, {"owner": "a"}, registered()),
    pool(KEEPS_GROUP, {"group": "b"}, {"group": "a"}, registered(group="a")),
    pool(KEEPS_GROUP, {"group": "b"}, {}, registered(group="n", failureDomain="Node")),
    pool(KEEPS_GROUP, {}, {"group": "a"}, registered(group="a")),
    pool(KEEPS_GROUP, {"failureDomain": "Miner"}, {}, registered(failureDomain="Node")),
    pool(KEEPS_GROUP, {}, {"failureDomain": "Miner"}, registered(failureDomain="Miner")),
    pool("a request exceeds its limit", {"resources": {"miner": TOO_MUCH}}),
    pool("value is for operator Equal", {"scheduling": TO_EXISTS}),
    pool("a toleration without key tolerates every taint", {"scheduling": NO_KEY}),
    net(NET_OR_JOIN, {"superNode": None}),
    net(NET_OR_JOIN, {"join": {"configMap": "c"}}),
    net(
        "superNode and join cannot be swapped",
        {"superNode": None, "join": {"configMap": "c"}},
        {},
    ),
    net("preset is required where a network is founded: test, local or main", {"preset": None}),
    net(
        "epochSeconds is for founding; a network that is joined has its own",
        {"superNode": None, "join": {"configMap": "c"}, "epochSeconds": 5},
    ),
    net("preset cannot change: it is in the network's genesis", {"preset": "main"}, {}),
    net("epochSeconds cannot change: it is in the network's genesis", {"epochSeconds": 9}, {}),
    net("epochSeconds cannot change: it is in the network's genesis", {}, {"epochSeconds": 9}),
    net(
        "superNode.funds cannot change: they are in the network's genesis",
        node(funds=[{"address": WALLET, "veins": 2}]),
        node(funds=[{"address": WALLET, "veins": 1}]),
    ),
    net("superNode.url cannot change: it is in the network's genesis", node(url="https://x"), {}),
    net(SIZE_OR_CLAIM, node(storage={"existingClaim": "c"})),
    net(SIZE_OR_CLAIM, node(storage={"size": None})),
    net(
        "storageClassName belongs to size; an existing claim has its class already",
        node(storage={"size": None, "existingClaim": "c", "storageClassName": "s"}),
    ),
    net(RESTORE, node(storage={"storageClassName": "s"}), {}),
    net(BACKUP_TO, node(backup={"keep": 3})),
    net(BACKUP_TO, node(backup={"existingClaim": "c", "claimTemplate": {"size": "1Gi"}})),
    net(
        "storageClassName cannot change: a claim keeps its class; make one of another class",
        node(backup={"claimTemplate": {"size": "1Gi", "storageClassName": "b"}}),
        node(backup={"claimTemplate": {"size": "1Gi", "storageClassName": "a"}}),
    ),
    net("recover from exactly one of fromClaim and fromS3", {"recovery": {"snapshot": "latest"}}),
    net(
        "recovery is for a network whose super node runs here",
        {"superNode": None, "join": {"configMap": "c"}, "recovery": {"fromClaim": "c"}},
    ),
    net("nodePort is for type NodePort", node(service={"nodePort": 30000})),
    net("a request exceeds its limit", node(resources=TOO_MUCH)),
    net("value is for operator Equal", node(**TO_EXISTS)),
    disk("a disk is on exactly one of claim and hostPath", {"claim": None}),
    disk("a disk is on exactly one of claim and hostPath", {"hostPath": "/srv/a"}),
    disk("pool, miner and disk cannot change: the operator writes them", {"pool": "q"}, {}),
    disk("the name of a MinerDisk is MINER-DISK; the operator makes them", {"disk": "b"}),
    disk("wipe needs drain: true: a disk is emptied before its files are deleted", {"wipe": "x"}),
    disk(DRAINED, {"drain": True, "wipe": "x"}, {"drain": True}, {"phase": "Draining"}),
    disk(DRAINED, {"drain": True, "wipe": "x"}, {"drain": True}),
    disk(
        SAME_ID,
        {"drain": True, "wipe": "x"},
        {"drain": True},
        {"phase": "Drained", "diskId": "y"},
    ),
]

BORDERS = [
    pool("spec.replicas in body should be greater than or equal to 0", {"replicas": -1}),
    pool("spec.replicas in body should be less than or equal to 10000", {"replicas": 10_001}),
    pool("spec.disks: Required value", {"disks": None}),
    pool("spec.disks in body should have at least 1 items", {"disks": []}),
    pool(
        '.spec.disks: duplicate entries for key [name="a"]',
        {"disks": [{"name": "a"} | CLAIM, {"name": "a"} | CLAIM]},
    ),
    pool("existingClaims: duplicate entries", one_disk(existingClaims=["x", "x"])),
    pool("spec.disks[0].name in body should match", one_disk(**CLAIM, name="a-b")),
    pool("Too long: may not be more than 17 bytes", one_disk(**CLAIM, name="a" * 18)),
    pool("spec.disks[0].hostPath in body should match", one_disk(hostPath="relative")),
    pool("spec.disks[0].hostPath in body should match", one_disk(hostPath="/srv/../etc")),
    pool("spec.payout in body should match", {"payout": "0xabc"}),
    pool("spec.bandwidth in body should match", {"bandwidth": "fast"}),
    pool("spec.drain[0] in body should match", {"drain": ["p-01"]}),
    pool('Unsupported value: "Rack": supported values: "Miner", "Node"', {"failureDomain": "Rack"}),
    pool(
        "spec.rollout.window.start in body should match",
        {"rollout": {"window": NIGHT | {"start": "2am"}}},
    ),
    pool(
        'Unsupported value: "Sunday": supported values: "Mon"',
        {"rollout": {"window": NIGHT | {"days": ["Sunday"]}}},
    ),
    pool("spec.plots.fill in body should be less than or equal to 1000", {"plots": {"fill": 1001}}),
    net('Unsupported value: "mainnet": supported values: "test"', {"preset": "mainnet"}),
    net(
        "spec.recovery.snapshot in body should match",
        {"recovery": {"fromClaim": "c", "snapshot": "yesterday"}},
    ),
    net(
        "everySeconds in body should be greater than or equal to 10",
        node(backup={"existingClaim": "c", "everySeconds": 1}),
    ),
    pool(
        "spec.podTemplate.labels.a in body should match", {"podTemplate": {"labels": {"a": "b c"}}}
    ),
    pool("duplicate entries for key", {"podTemplate": {"env": [{"name": "A"}, {"name": "A"}]}}),
    net("spec.superNode.freeFrom[0] in body should match", node(freeFrom=["10.42.0.0"])),
    net("spec.superNode.url in body should match", node(url="http://plain")),
    net(
        "spec.superNode.funds[0].address in body should match",
        node(funds=[{"address": "x", "veins": 1}]),
    ),
]


def messages() -> set[str]:
    found, todo = set(), [definitions()]
    while todo:
        value = todo.pop()
        if isinstance(value, dict):
            found |= {rule["message"] for rule in value.get("x-kubernetes-validations", [])}
            todo += value.values()
        elif isinstance(value, list):
            todo += value
    return found


def test_every_rule_has_a_case_that_breaks_it() -> None:
    said = [case.says for case in RULES]
    assert not [text for text in messages() if not any(text.startswith(each) for each in said)]


@pytest.fixture(scope="module")
def api(cluster: Cluster, custom_kinds: None) -> Iterator[Api]:
    del custom_kinds
    cluster.make_namespace("rules")
    yield cluster.api.within("rules")
    cluster.api.delete("namespace", "rules", wait=False)


def body(case: Case, spec: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "cybervein.io/v1alpha1",
        "kind": case.kind,
        "metadata": {"name": NAMES[case.kind]},
        "spec": merged(SPECS[case.kind], spec),
    }


@pytest.mark.kubernetes
@pytest.mark.parametrize("case", RULES + BORDERS, ids=str)
def test_it_is_refused_with_its_message(api: Api, case: Case) -> None:
    name = NAMES[case.kind]
    api.delete(case.kind, name)
    if case.before is not None:
        api.apply(body(case, case.before))
    if case.status is not None:
        api.patch(case.kind, name, {"status": case.status}, subresource="status")
    with pytest.raises(ApiError) as refused:
        api.apply(body(case, case.spec))
    assert case.says in str(refused.value)


@pytest.mark.kubernetes
@pytest.mark.parametrize("name", ["1pool", "a.b", "p" * 41, "pool-"])
def test_a_pool_has_a_name_of_which_all_others_can_be_made(api: Api, name: str) -> None:
    wrong = body(RULES[0], {}) | {"metadata": {"name": name}}
    with pytest.raises(ApiError, match=r"metadata\.name"):
        api.apply(wrong)


@pytest.mark.kubernetes
def test_a_drained_disk_is_wiped_and_may_then_change_its_phase(api: Api) -> None:
    case = disk("", {"drain": True, "wipe": "y"})
    api.delete("MinerDisk", "p-0-a")
    api.apply(body(case, {"drain": True}))
    drained = {"status": {"phase": "Drained", "diskId": "y"}}
    api.patch("MinerDisk", "p-0-a", drained, subresource="status")
    api.apply(body(case, case.spec))
    for phase in ("Wiped", "Missing", "Failed"):
        api.patch("MinerDisk", "p-0-a", {"status": {"phase": phase}}, subresource="status")
    api.apply(body(case, {"drain": False}))


@pytest.mark.kubernetes
@pytest.mark.parametrize(
    "spec",
    [
        {"replicas": 0},
        {"replicas": 10_000},
        {"replicas": 2, "scheduling": {"antiAffinity": "Required"}} | one_disk(hostPath="/srv/a"),
        {"address": {"type": "HostPort"}},
        {"address": {"type": "NodePort", "host": "h", "port": 30000}},
        {"drain": ["p-0", "p-9999"]},
        one_disk(claimTemplate={"size": 64 << 20}) | {"state": {"size": "0.03125Gi"}},
        {"bandwidth": "128Ki"},
        {"bandwidth": "1.5Gi", "plots": {"count": 3, "floor": "10G"}},
    ],
    ids=str,
)
def test_what_is_right_is_taken(api: Api, spec: dict[str, Any]) -> None:
    api.delete("MinerPool", "p")
    api.apply(body(RULES[0], spec))
    api.apply(body(RULES[0], merged(spec, {"plots": {"fill": 1}})))


@pytest.mark.kubernetes
def test_a_size_may_change_both_ways_however_it_is_written(api: Api) -> None:
    api.delete("MinerPool", "p")
    for size in (1_000_000_000, "1G", "1Gi", "1.5Gi", "1Gi", 1_000_000_000):
        api.apply(body(RULES[0], one_disk(claimTemplate={"size": size})))


@pytest.mark.kubernetes
def test_a_pool_that_nobody_registered_may_change_what_is_fixed_later(api: Api) -> None:
    api.delete("MinerPool", "p")
    for spec in ({"replicas": 0}, {"owner": "a", "group": "g"}, {"failureDomain": "Miner"}, {}):
        api.apply(body(RULES[0], spec))


@pytest.mark.kubernetes
@pytest.mark.parametrize(
    ("slip", "has", "back"),
    [
        ({"owner": "b"}, {"owner": "a"}, {"owner": "a"}),
        ({"owner": "b"}, {"owner": "a"}, {}),
        ({"group": "b"}, {"group": "a"}, {"group": "a"}),
        ({}, {"group": "a"}, {"group": "a"}),
        ({"group": "b"}, {"failureDomain": "Node"}, {}),
        ({}, {"failureDomain": "Miner"}, {"failureDomain": "Miner"}),
        ({"failureDomain": "Miner"}, {"failureDomain": "Node"}, {"failureDomain": "Node"}),
        ({}, {"owner": "a", "failureDomain": "Node"}, {"failureDomain": "Node", "owner": "a"}),
    ],
    ids=str,
)
def test_what_the_ledger_has_may_be_put_back(
    api: Api, slip: dict[str, Any], has: dict[str, Any], back: dict[str, Any]
) -> None:
    api.delete("MinerPool", "p")
    api.apply(body(RULES[0], slip))
    api.patch("MinerPool", "p", {"status": registered(**has)}, subresource="status")
    api.apply(body(RULES[0], slip | {"replicas": 3}))
    api.apply(body(RULES[0], back))


@pytest.mark.kubernetes
def test_a_claim_below_the_minimum_that_exists_lets_everything_else_be_changed(
    cluster: Cluster, api: Api
) -> None:
    """A copy of the kind under another name, first without the minimum, as 0.2.0 had it."""
    name, kind = "tinypools.earlier.example", "TinyPool"
    text = (ROOT / "manifests" / "crds" / "minerpools.cybervein.io.yaml").read_text()
    today = yaml.safe_load(text)
    today["metadata"] = {"name": name}
    names = {"plural": "tinypools", "singular": "tinypool", "kind": kind, "listKind": "TinyList"}
    today["spec"] |= {"group": "earlier.example", "names": names}
    before = copy.deepcopy(today)
    for rules in rules_of(before):
        rules[:] = [rule for rule in rules if "is at least" not in rule["message"]]
    tiny = body(RULES[0], one_disk(claimTemplate={"size": "1Ki"}) | {"state": {"size": "1Ki"}})
    tiny |= {"apiVersion": "earlier.example/v1alpha1", "kind": kind}
    try:
        cluster.api.apply(before)
        api.kinds.named(kind)
        api.apply(tiny)
        cluster.api.apply(today)
        tries = itertools.count()

        def refused() -> bool:
            """Another one each time: what exists is let be."""
            try:
                api.apply(tiny | {"metadata": {"name": f"another-{next(tries)}"}})
            except ApiError as error:
                return "at least 64Mi" in str(error)
            return False

        until(refused, "the minimum is asked for")
        api.patch(kind, "p", {"spec": {"plots": {"fill": 9}, "replicas": 3}})
        api.patch(kind, "p", {"status": {"replicas": 1}}, subresource="status")
        with pytest.raises(ApiError, match="at least 64Mi"):
            api.patch(kind, "p", {"spec": one_disk(claimTemplate={"size": "2Ki"})})
        api.patch(kind, "p", {"spec": one_disk(claimTemplate={"size": "64Mi"})})
    finally:
        cluster.api.delete("crd", name)  # whole: the API must not change under the next test


def rules_of(schema: Any) -> Iterator[list[dict[str, Any]]]:
    """Every list of rules in a schema."""
    if isinstance(schema, dict):
        if "x-kubernetes-validations" in schema:
            yield schema["x-kubernetes-validations"]
        for each in schema.values():
            yield from rules_of(each)
    elif isinstance(schema, list):
        for each in schema:
            yield from rules_of(each)
