"""A real API server takes the definitions, explains every field, scales, and shows what matters."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from cluster.api import Api
from cluster.kubectl import Kubectl, KubectlError
from cluster.running import Cluster
from cybervein_operator.crd import definitions
from waiting import until

pytestmark = pytest.mark.kubernetes
API = "cybervein.io/v1alpha1"
POOL: dict[str, Any] = {
    "apiVersion": API,
    "kind": "MinerPool",
    "metadata": {"name": "home"},
    "spec": {
        "networkRef": {"name": "net"},
        "disks": [{"name": "a", "claimTemplate": {"size": "1Ti"}}],
    },
}
READY = {
    "type": "Ready",
    "status": "True",
    "reason": "AllReady",
    "message": "2 of 2",
    "lastTransitionTime": "2026-11-21T00:00:00Z",
}


@pytest.fixture(scope="module")
def crds(cluster: Cluster, custom_kinds: None) -> Cluster:
    del custom_kinds
    return cluster


@pytest.fixture
def kubectl(crds: Cluster, namespace: str) -> Kubectl:
    return crds.kubectl.within(namespace)


@pytest.fixture
def api(crds: Cluster, namespace: str) -> Api:
    return crds.api.within(namespace)


def test_the_server_has_no_doubt_about_the_schemas(crds: Cluster) -> None:
    for each in definitions():
        found = crds.api.get("crd", each["metadata"]["name"])
        assert found is not None
        conditions = {x["type"]: x["status"] for x in found["status"]["conditions"]}
        assert conditions["Established"] == "True"
        assert "NonStructuralSchema" not in conditions


def below(schema: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, each in schema.get("properties", {}).items():
        yield f"{path}.{name}", each
        yield from below(each.get("items", each), f"{path}.{name}")


@pytest.mark.parametrize("kind", ["Network", "MinerPool", "MinerDisk"])
def test_kubectl_explains_every_field(crds: Cluster, kind: str) -> None:
    """What explain prints comes from the server's own OpenAPI; ask for it once per kind."""
    text = explain(crds.kubectl, f"{kind}.spec", f"--api-version={API}", "--recursive")
    document = crds.api.read(f"/openapi/v3/apis/{API}")
    (schema,) = [
        each
        for name, each in document["components"]["schemas"].items()
        if name.endswith(f".{kind}")
    ]
    fields = dict(below(schema, kind))
    assert len(fields) > 15
    silent = [path for path, each in fields.items() if not described(each)]
    assert not [each for each in silent if ".metadata." not in each]
    for name in schema["properties"]["spec"]["properties"]:
        assert name in text


def explain(kubectl: Kubectl, *arguments: str) -> str:
    """The server publishes the schemas of new kinds a moment after it has taken them."""

    def look() -> str:
        try:
            return kubectl("explain", *arguments)
        except KubectlError:
            return ""

    return until(look, f"kubectl explain {arguments[0]} prints something")


def described(schema: dict[str, Any]) -> bool:
    return bool(schema.get("description")) or any(
        each.get("description") or "$ref" in each for each in schema.get("allOf", [])
    )


def test_explain_prints_the_text_of_a_deep_field(crds: Cluster) -> None:
    text = explain(crds.kubectl, "cvpool.spec.disks.claimTemplate.size")
    assert "Size of each claim, as in 4Ti" in text


def test_the_server_fills_in_the_same_defaults_as_the_models(api: Api) -> None:
    api.apply(POOL)
    found = api.get("cvpool", "home")
    assert found is not None
    spec = found["spec"]
    assert spec["replicas"] == 1
    assert spec["state"] == {"size": "1Gi"}
    assert spec["plots"] == {"fill": 800}
    assert spec["address"] == {"type": "ClusterIP"}
    assert spec["rollout"] == {"maxUnavailable": 1}
    assert spec["scheduling"] == {
        "antiAffinity": "Preferred",
        "topologyKey": "kubernetes.io/hostname",
    }
    assert "status" not in found


def test_kubectl_scale_changes_replicas(kubectl: Kubectl, api: Api) -> None:
    api.apply(POOL)
    kubectl("scale", "cvpool/home", "--replicas=7")
    found = api.get("cvpool", "home")
    assert found is not None
    assert found["spec"]["replicas"] == 7


def test_kubectl_scale_is_held_to_the_rules(kubectl: Kubectl, api: Api) -> None:
    disks = [{"name": "a", "existingClaims": ["pv-0", "pv-1"]}]
    api.apply(POOL | {"spec": POOL["spec"] | {"disks": disks}})
    kubectl("scale", "cvpool/home", "--replicas=2")
    with pytest.raises(KubectlError, match="at least as many claims as there are replicas"):
        kubectl("scale", "cvpool/home", "--replicas=3")


def test_an_autoscaler_reads_replicas_and_selector(api: Api) -> None:
    api.apply(POOL)
    api.patch("cvpool", "home", {"spec": {"replicas": 2}})
    selector = "app.kubernetes.io/component=miner,cybervein.io/pool=home"
    status = {"status": {"replicas": 2, "selector": selector}}
    api.patch("cvpool", "home", status, subresource="status")
    api.apply(
        {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "home"},
            "spec": {
                "scaleTargetRef": {"apiVersion": API, "kind": "MinerPool", "name": "home"},
                "minReplicas": 3,
                "maxReplicas": 4,
                "metrics": [
                    {
                        "type": "Resource",
                        "resource": {
                            "name": "cpu",
                            "target": {"type": "Utilization", "averageUtilization": 50},
                        },
                    }
                ],
            },
        }
    )
    # Below its minimum it scales without any metric: through the scale subresource.
    api.wait("cvpool", "home", lambda pool: pool["spec"]["replicas"] == 3, "is scaled to 3")


def test_a_glance_shows_what_matters(kubectl: Kubectl, api: Api) -> None:
    api.apply(POOL)
    status = {
        "readyReplicas": 1,
        "updatedReplicas": 1,
        "phases": {"Ready": 1, "Draining": 4},
        "usage": "310Gi/400Gi",
        "conditions": [READY],
    }
    api.patch("cvpool", "home", {"status": status}, subresource="status")
    heads, values = kubectl("get", "cvpool").splitlines()
    columns = [(each.group(), each.start()) for each in re.finditer(r"\S+", heads)]
    row = {name: values[start:].split("  ")[0].strip() for name, start in columns}
    assert row.pop("AGE")
    assert row == {
        "NAME": "home",
        "MINERS": "1",
        "READY": "1",
        "DRAINING": "4",
        "UPDATED": "1",
        "BYTES": "310Gi/400Gi",
        "STATUS": "AllReady",
        "PAUSED": "",
    }


def test_one_category_shows_all_kinds(kubectl: Kubectl, api: Api) -> None:
    api.apply(POOL)
    network = {"apiVersion": API, "kind": "Network", "metadata": {"name": "net"}}
    api.apply(network | {"spec": {"join": {"configMap": "theirs"}}})
    disk = {"apiVersion": API, "kind": "MinerDisk", "metadata": {"name": "home-0-a"}}
    api.apply(
        disk | {"spec": {"pool": "home", "miner": "home-0", "disk": "a", "claim": "home-0-a"}}
    )
    names = kubectl("get", "cybervein", "-o", "name").split()
    assert sorted(names) == [
        "minerdisk.cybervein.io/home-0-a",
        "minerpool.cybervein.io/home",
        "network.cybervein.io/net",
    ]
    assert len(kubectl("get", "cvdisk,cvnet,cvpool", "-o", "name").split()) == 3


def test_a_status_is_written_apart_from_the_spec(api: Api) -> None:
    api.apply(POOL)
    api.patch("cvpool", "home", {"status": {"readyReplicas": 5}})
    found = api.get("cvpool", "home")
    assert found is not None
    assert "readyReplicas" not in found.get("status", {})


def test_a_persons_drain_and_the_operators_disk_have_two_owners(api: Api) -> None:
    disk = {
        "apiVersion": API,
        "kind": "MinerDisk",
        "metadata": {"name": "home-0-a"},
        "spec": {"pool": "home", "miner": "home-0", "disk": "a", "claim": "home-0-a"},
    }
    operator = "cybervein-operator"
    api.apply(disk, manager=operator)
    api.patch("cvdisk", "home-0-a", {"spec": {"drain": True}})
    api.apply(disk, manager=operator)
    found = api.get("cvdisk", "home-0-a")
    assert found is not None
    assert found["spec"]["drain"] is True
