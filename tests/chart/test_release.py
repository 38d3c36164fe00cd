"""Install, upgrade from 0.1, uninstall: nothing sticks, nothing is lost."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from chart_helm import CHART, PACKAGE_0_1, TIMEOUT, Helm, HelmError
from cluster.api import Api, ApiError
from cluster.rest import Object
from cluster.running import Cluster
from waiting import DEADLINE_SECONDS, until

pytestmark = pytest.mark.kubernetes
HOME = ("--values", CHART / "values-home.yaml")
CRDS = ("networks", "minerpools", "minerdisks")
OLD = {
    "network": {"name": "home", "preset": "test", "storageSize": "1Gi", "epochSeconds": 30},
    "pool": {
        "name": "pool",
        "miners": 2,
        "failureDomain": "Miner",
        "stateSize": "1Gi",
        "diskCount": 2,
        "diskSize": "2Gi",
        "fill": 500,
        "threads": 1,
    },
}
NEW = {
    "valuesVersion": 2,
    "networks": {
        "home": {
            "preset": "test",
            "epochSeconds": 30,
            "superNode": {"storage": {"size": "1Gi"}},
        }
    },
    "pools": {
        "pool": {
            "networkRef": {"name": "home"},
            "replicas": 2,
            "failureDomain": "Miner",
            "state": {"size": "1Gi"},
            "disks": [
                {"name": "disk1", "claimTemplate": {"size": "2Gi"}},
                {"name": "disk2", "claimTemplate": {"size": "2Gi"}},
            ],
            "plots": {"fill": 500, "threads": 1},
        }
    },
}


def left_behind(namespace: str) -> list[Object]:
    """What an operator leaves in a namespace, and what must outlive everything."""
    identity = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "pool-0-identity"},
        "immutable": True,
        "stringData": {"identity.json": "{}"},
    }
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "pool-0-disk1"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
            "storageClassName": "none-such",
        },
    }
    disk = {
        "apiVersion": "cybervein.io/v1alpha1",
        "kind": "MinerDisk",
        "metadata": {"name": "pool-0-disk1", "namespace": namespace},
        "spec": {"pool": "pool", "miner": "pool-0", "disk": "disk1", "claim": "pool-0-disk1"},
    }
    return [identity, claim, disk]


def owned_by_pool(api: Api) -> Object:
    """A Service that goes with the pool, as the operator makes them."""
    pool = api.get("minerpool", "pool")
    assert pool is not None
    owner = {key: pool["metadata"][key] for key in ("name", "uid")}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": "pool-0",
            "ownerReferences": [owner | {"apiVersion": pool["apiVersion"], "kind": "MinerPool"}],
        },
        "spec": {"ports": [{"port": 4100}]},
    }


def test_one_command_installs_crds_operator_network_and_pool(
    cluster: Cluster, release: Helm, namespace: str
) -> None:
    notes = release("install", "cybervein", CHART, *HOME)
    api = cluster.api.within(namespace)
    assert api.get("network", "home") is not None
    assert api.get("minerpool", "pool") is not None
    assert api.get("deployment", "cybervein-operator") is not None
    assert f"kubectl cybervein status -n {namespace}" in notes
    assert "minerpool/pool --replicas" in notes


def test_the_datacenter_example_is_accepted_by_the_api_server(
    cluster: Cluster, release: Helm, namespace: str
) -> None:
    release("install", "cybervein", CHART, "--values", CHART / "values-datacenter.yaml")
    pool = cluster.api.within(namespace).get("minerpool", "rack-a")
    assert pool is not None
    assert len(pool["spec"]["disks"]) == 4


def test_what_the_schema_cannot_judge_the_api_server_refuses_in_words(release: Helm) -> None:
    both = {"superNode": {"storage": {"size": "1Gi"}}, "join": {"configMap": "file"}}
    values = release.values({"networks": {"home": {"preset": "test", **both}}})
    with pytest.raises(HelmError, match="give exactly one of superNode"):
        release("install", "cybervein", CHART, "--values", values)


def test_uninstall_leaves_nothing_stuck_and_no_data_lost(
    cluster: Cluster, release: Helm, namespace: str
) -> None:
    release("install", "cybervein", CHART, *HOME)
    api = cluster.api.within(namespace)
    api.apply(*left_behind(namespace), owned_by_pool(api))

    release("uninstall", "cybervein", "--wait", *TIMEOUT)

    for kind, name in (("network", "home"), ("minerpool", "pool"), ("service", "pool-0")):
        api.wait_gone(kind, name)
    for kind in ("deployments", "roles", "rolebindings", "networkpolicies", "poddisruptionbudgets"):
        assert api.list(kind) == []
    assert api.get("secret", "pool-0-identity") is not None
    claim = api.get("persistentvolumeclaim", "pool-0-disk1")
    assert claim is not None
    assert "deletionTimestamp" not in claim["metadata"]
    for name in CRDS:
        assert cluster.api.get("crd", f"{name}.cybervein.io") is not None


def test_no_resource_of_ours_ever_has_a_finalizer(
    cluster: Cluster, release: Helm, namespace: str
) -> None:
    release("install", "cybervein", CHART, *HOME)
    api = cluster.api.within(namespace)
    for kind in CRDS:
        for each in api.list(f"{kind}.cybervein.io"):
            assert "finalizers" not in each["metadata"]
    assert "finalizers" not in json.dumps(Helm(release.directory).render(*HOME))


def test_it_installs_again_under_another_name_over_what_was_left(
    cluster: Cluster, release: Helm, namespace: str
) -> None:
    release("install", "first", CHART, *HOME)
    release("uninstall", "first", "--wait", *TIMEOUT)
    release("install", "second", CHART, *HOME)
    assert cluster.api.within(namespace).get("minerpool", "pool") is not None


def test_scaling_by_hand_survives_an_upgrade(
    cluster: Cluster, release: Helm, namespace: str
) -> None:
    release("install", "cybervein", CHART, *HOME)
    kubectl, api = cluster.kubectl.within(namespace), cluster.api.within(namespace)
    kubectl("scale", "minerpool/pool", "--replicas=7")
    api.patch("minerpool", "pool", {"spec": {"drain": ["pool-3"]}})
    release("upgrade", "cybervein", CHART, *HOME, "--no-hooks", "--set", "image.tag=0.2.1")
    pool = api.get("minerpool", "pool")
    assert pool is not None
    assert pool["spec"]["replicas"] == 7
    assert pool["spec"]["drain"] == ["pool-3"]


def test_upgrade_from_0_1_keeps_every_resource(
    cluster: Cluster, release: Helm, namespace: str
) -> None:
    release("install", "cybervein", PACKAGE_0_1, "--values", release.values(OLD))
    api = cluster.api.within(namespace)
    before = {kind: seen(api, kind) for kind in ("network/home", "minerpool/pool")}
    operator = api.get("deployment", "cybervein-operator")
    assert operator is not None
    assert operator["metadata"]["annotations"]["cybervein.io/format"] == "1"
    assert image(operator) == "cybervein:0.1.0"

    for flag in ("--reuse-values", "--reset-then-reuse-values"):
        with pytest.raises(HelmError, match=r"values of chart 0\.1"):
            release("upgrade", "cybervein", CHART, flag, "--no-hooks")
    new = release.values(NEW)
    release("upgrade", "cybervein", CHART, "--reset-values", "--values", new, "--no-hooks")

    assert before == {kind: seen(api, kind) for kind in before}
    operator = api.get("deployment", "cybervein-operator")
    assert operator is not None
    assert operator["metadata"]["annotations"]["cybervein.io/format"] == "2"
    assert image(operator) == "cybervein:0.2.0"


def seen(api: Api, what: str) -> tuple[str, str]:
    """Identity and spec of a resource: neither may change by an upgrade."""
    kind, _, name = what.partition("/")
    found = api.get(kind, name)
    assert found is not None
    return found["metadata"]["uid"], json.dumps(found["spec"], sort_keys=True)


def image(deployment: Object) -> str:
    return str(deployment["spec"]["template"]["spec"]["containers"][0]["image"])


def test_a_downgrade_to_an_older_format_is_refused(
    cluster: Cluster, release: Helm, namespace: str
) -> None:
    release("install", "cybervein", CHART)
    newer = {"metadata": {"annotations": {"cybervein.io/format": "3"}}}
    cluster.api.within(namespace).patch("deployment", "cybervein-operator", newer)
    with pytest.raises(HelmError, match=r"is at format 3 and chart .* writes format 2"):
        release("upgrade", "cybervein", CHART, "--no-hooks")


def test_a_repeated_upgrade_changes_nothing(
    cluster: Cluster, release: Helm, namespace: str
) -> None:
    release("install", "cybervein", CHART, *HOME)
    api = cluster.api.within(namespace)
    until(lambda: settled(api), "the controllers have seen the Deployment")
    before = versions(api)
    release("upgrade", "cybervein", CHART, *HOME, "--no-hooks")
    assert versions(api) == before


def settled(api: Api) -> bool:
    found = api.get("deployment", "cybervein-operator")
    assert found is not None
    return bool(found.get("status", {}).get("unavailableReplicas"))


def versions(api: Api) -> dict[str, int]:
    """Generations: what an upgrade without a difference leaves alone."""
    kinds = ("deployment", "role", "networkpolicy", "minerpool", "network")
    return {
        f"{kind}/{each['metadata']['name']}": each["metadata"].get("generation", 0)
        for kind in kinds
        for each in api.list(kind)
    }


def hook_objects(release: Helm) -> list[Object]:
    rendered = Helm(release.directory, namespace=release.namespace).render()
    return [each for each in rendered if each["metadata"]["name"].endswith("-crds")]


def test_the_upgrade_hook_may_change_our_crds_and_nothing_else(
    cluster: Cluster, release: Helm, namespace: str
) -> None:
    objects = hook_objects(release)
    assert {each["kind"] for each in objects} == {
        "ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Job",
    }  # fmt: skip
    release("install", "cybervein", CHART)
    admin = cluster.api
    cluster_wide = [each for each in objects if each["kind"].startswith("ClusterRole")]
    admin.within(namespace).apply(*[each for each in objects if each["kind"] != "Job"])
    try:
        login = cluster.login(namespace, "cybervein-crds")
        hook = cluster.api_of(login, namespace)
        job = next(each for each in objects if each["kind"] == "Job")
        command = job["spec"]["template"]["spec"]["containers"][0]["command"]
        assert command == ["cybervein", "k8s", "crds", "--apply"]
        said = run_cybervein(*command[1:], "--kubeconfig", str(login))
        assert "minerpools.cybervein.io" in said
        for name in CRDS:
            with pytest.raises(ApiError, match="cannot delete resource"):
                hook.delete("crd", f"{name}.cybervein.io")
        with pytest.raises(ApiError, match="cannot get resource"):
            hook.get("crd", "others.example.com")
    finally:
        for each in cluster_wide:
            admin.delete(each["kind"].lower(), each["metadata"]["name"])


def run_cybervein(*arguments: str) -> str:
    program = Path(sys.executable).with_name("cybervein")
    return subprocess.run(
        [program, *arguments], capture_output=True, text=True, check=True, timeout=DEADLINE_SECONDS
    ).stdout
