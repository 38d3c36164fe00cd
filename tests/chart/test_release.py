"""Install, upgrade, uninstall: nothing sticks, nothing is lost."""

import json

import pytest
from chart_helm import CHART, TIMEOUT, Helm, HelmError, left_behind
from cluster.api import Api
from cluster.rest import Object
from cluster.running import Cluster
from waiting import until

pytestmark = pytest.mark.kubernetes
HOME = ("--values", CHART / "values-home.yaml")
CRDS = ("networks", "minerpools", "minerdisks")


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
    assert f"looks after {namespace}, and no other namespace" in notes
    assert f"--set 'watchNamespaces={{{namespace},ANOTHER}}'" in notes


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
