"""Upgrades from earlier charts, never down: what was there stays, CRDs follow."""

import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from chart_helm import CHART, PACKAGE_0_1, PACKAGE_0_2, Helm, HelmError, left_behind
from cluster.api import Api, ApiError
from cluster.control_plane import ControlPlane
from cluster.rest import Object
from cluster.running import Cluster
from cybervein_operator.crd import SCHEMA, definitions
from waiting import DEADLINE_SECONDS

pytestmark = pytest.mark.kubernetes
CRDS = ("networks", "minerpools", "minerdisks")
MARK = "cybervein.io/schema"
CHART_YAML = yaml.safe_load((CHART / "Chart.yaml").read_text())
FORMAT, VERSION = CHART_YAML["annotations"]["cybervein.io/format"], CHART_YAML["version"]

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
    assert operator["metadata"]["annotations"]["cybervein.io/format"] == FORMAT
    assert image(operator) == f"cybervein:{VERSION}"


def test_upgrade_from_0_2_keeps_every_resource(
    cluster: Cluster,
    release: Helm,
    namespace: str,
    hook: Path,
    definitions_of_0_2: None,
) -> None:
    assert definitions_of_0_2 is None
    values = release.values(NEW)
    release("install", "cybervein", PACKAGE_0_2, "--values", values)
    api = cluster.api.within(namespace)
    api.apply(*left_behind(namespace))
    status = {"phase": "InUse", "shards": 7, "diskId": "disk-7"}
    api.patch("minerdisk", "pool-0-disk1", {"status": status}, subresource="status")
    kept = ("network/home", "minerpool/pool", "minerdisk/pool-0-disk1", "secret/pool-0-identity",
            "persistentvolumeclaim/pool-0-disk1")  # fmt: skip
    before = {each: seen(api, each) for each in kept}
    operator = seen(api, "deployment/cybervein-operator")
    assert schemas(cluster) == {"0"}

    assert "applied networks.cybervein.io" in apply_definitions(hook)
    assert schemas(cluster) == {str(SCHEMA)}
    more = ("--set", "commonLabels.team=storage")  # selectors are immutable: they have none of it
    release("upgrade", "cybervein", CHART, "--values", values, *more, "--no-hooks")
    after = {each: seen(api, each) for each in kept}
    assert {name: uid for name, (uid, _) in before.items()} == {
        name: uid for name, (uid, _) in after.items()
    }
    assert all(has(after[name][1], spec) for name, (_, spec) in before.items())
    disk = api.get("minerdisk", "pool-0-disk1")
    assert disk is not None
    assert disk["status"].items() >= status.items()
    assert seen(api, "deployment/cybervein-operator")[0] == operator[0]  # not made anew
    api.patch("minerpool", "pool", {"metadata": {"labels": {"touched": "yes"}}})  # valid as before

    with pytest.raises(
        HelmError, match=rf"is at format {FORMAT} and chart 0\.2\.0 writes format 2"
    ):
        release("upgrade", "cybervein", PACKAGE_0_2, "--values", values)


def test_values_of_chart_0_2_may_be_reused(release: Helm) -> None:
    release("install", "cybervein", PACKAGE_0_2, "--values", release.values(NEW))
    release("upgrade", "cybervein", CHART, "--reuse-values", "--no-hooks")
    release("upgrade", "cybervein", CHART, "--reset-then-reuse-values", "--no-hooks")


def test_a_downgrade_to_an_older_format_is_refused(
    cluster: Cluster, release: Helm, namespace: str
) -> None:
    release("install", "cybervein", CHART)
    newer = {"metadata": {"annotations": {"cybervein.io/format": str(int(FORMAT) + 1)}}}
    cluster.api.within(namespace).patch("deployment", "cybervein-operator", newer)
    with pytest.raises(HelmError, match=rf"is at format \d+ and chart .* writes format {FORMAT}"):
        release("upgrade", "cybervein", CHART, "--no-hooks")


def hook_objects(release: Helm) -> list[Object]:
    rendered = Helm(release.directory, namespace=release.namespace).render()
    return [each for each in rendered if each["metadata"]["name"].endswith("-crds")]


@pytest.fixture
def hook(cluster: Cluster, release: Helm, namespace: str) -> Iterator[Path]:
    """The login of the hook, with its rights, as Helm gives them for an upgrade."""
    objects = [each for each in hook_objects(release) if each["kind"] != "Job"]
    cluster.api.within(namespace).apply(*objects)
    yield cluster.login(namespace, "cybervein-crds")
    for each in objects:
        if each["kind"].startswith("ClusterRole"):
            cluster.api.delete(each["kind"].lower(), each["metadata"]["name"])


@pytest.fixture
def definitions_of_0_2(
    cluster: Cluster, control_plane: ControlPlane, tmp_path: Path
) -> Iterator[None]:
    """The CRDs as 0.2.0 installs them, whole; today's come back afterwards. Never in a cluster
    that is not ours."""
    del control_plane
    with tarfile.open(PACKAGE_0_2) as package:
        for name in CRDS:
            file = package.extractfile(f"cybervein/crds/{name}.cybervein.io.yaml")
            assert file is not None
            (tmp_path / f"{name}.yaml").write_bytes(file.read())
    replace_definitions(cluster, tmp_path)
    yield
    replace_definitions(cluster, CHART / "crds")


def replace_definitions(cluster: Cluster, folder: Path) -> None:
    """Every field of them, not only what an apply owns; no object goes with that."""
    cluster.kubectl.apply_file(folder)  # where there are none yet
    cluster.kubectl("replace", "-f", str(folder))


def schemas(cluster: Cluster) -> set[str]:
    """The numbers that the cluster's definitions carry."""
    found = [cluster.api.get("crd", f"{name}.cybervein.io") for name in CRDS]
    return {(each or {})["metadata"].get("annotations", {}).get(MARK, "0") for each in found}


def apply_definitions(login: Path) -> str:
    """What the hook's Job runs, by its own login."""
    program = Path(sys.executable).with_name("cybervein")
    command = [program, "k8s", "crds", "--apply", "--kubeconfig", login]
    return subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=DEADLINE_SECONDS
    ).stdout


def test_the_upgrade_hook_may_change_our_crds_and_nothing_else(
    cluster: Cluster, release: Helm, namespace: str, hook: Path
) -> None:
    objects = {each["kind"]: each for each in hook_objects(release)}
    assert set(objects) == {"ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Job"}
    release("install", "cybervein", CHART)
    (container,) = objects["Job"]["spec"]["template"]["spec"]["containers"]
    assert container["command"] == ["cybervein", "k8s", "crds", "--apply"]
    assert "minerpools.cybervein.io" in apply_definitions(hook)
    api = cluster.api_of(hook, namespace)
    for name in CRDS:
        with pytest.raises(ApiError, match="cannot delete resource"):
            api.delete("crd", f"{name}.cybervein.io")
    with pytest.raises(ApiError, match="cannot get resource"):
        api.get("crd", "others.example.com")


def test_the_hook_leaves_alone_what_a_newer_release_put_there(
    cluster: Cluster, control_plane: ControlPlane, release: Helm, hook: Path
) -> None:
    del control_plane  # only where the cluster is ours
    release("install", "cybervein", CHART)
    newer = {"annotations": {MARK: str(SCHEMA + 1)}, "labels": {"app.kubernetes.io/name": "newer"}}
    cluster.api.patch("crd", "minerdisks.cybervein.io", {"metadata": newer})
    try:
        told = apply_definitions(hook)
        assert (
            f"minerdisks.cybervein.io stays as a newer release left it: schema {SCHEMA + 1}" in told
        )
        assert "applied networks.cybervein.io, minerpools.cybervein.io;" in told
        disks = cluster.api.get("crd", "minerdisks.cybervein.io")
        assert disks is not None
        assert disks["metadata"]["labels"] == newer["labels"]
        notes = release("upgrade", "cybervein", CHART, "--no-hooks")
        assert "The CRD minerdisks.cybervein.io is a newer release's" in notes
        assert "networks.cybervein.io is" not in notes
        (networks, *_) = definitions()
        networks["metadata"]["resourceVersion"] = "1"  # another one came in between
        with pytest.raises(ApiError, match="has been modified"):
            cluster.api.apply(networks)
    finally:
        replace_definitions(cluster, CHART / "crds")


def seen(api: Api, what: str) -> tuple[str, Any]:
    """Identity and spec of a resource, or data: an upgrade may change neither."""
    kind, _, name = what.partition("/")
    found = api.get(kind, name)
    assert found is not None
    return found["metadata"]["uid"], found.get("spec", found.get("data"))


def has(now: Any, before: Any) -> bool:
    """Whether all that was there still is; what a newer schema has defaults for may be added."""
    if isinstance(before, dict) and isinstance(now, dict):
        return all(name in now and has(now[name], value) for name, value in before.items())
    if isinstance(before, list) and isinstance(now, list) and len(now) == len(before):
        return all(map(has, now, before))
    return bool(now == before)


def image(deployment: Object) -> str:
    return str(deployment["spec"]["template"]["spec"]["containers"][0]["image"])
