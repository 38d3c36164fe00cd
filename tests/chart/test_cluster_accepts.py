"""What the chart renders is valid for the real API server: its schemas, and Pod Security."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from chart_helm import CHART, MONITORING, ROOT, Helm, Object
from cluster.api import Api, ApiError
from cluster.running import Cluster
from cluster.tools import tool
from waiting import DEADLINE_SECONDS, until

pytestmark = pytest.mark.kubernetes
EVERYTHING = [f"--api-versions=monitoring.coreos.com/v1/{kind}" for kind in MONITORING]
THEIR_CRDS = Path(__file__).with_name("monitoring")
VALUES = {
    "defaults": (),
    "home": ("--values", CHART / "values-home.yaml"),
    "datacenter": ("--values", CHART / "values-datacenter.yaml"),
}
PUBLISHED = {
    "apis/monitoring.coreos.com/v1": set(MONITORING),
    "apis/cybervein.io/v1alpha1": {"Network", "MinerPool", "MinerDisk"},
}
KIND = "x-kubernetes-group-version-kind"


def established(crd: Object) -> bool:
    """`kubectl wait` fails where a CRD has no conditions yet."""
    conditions = crd.get("status", {}).get("conditions") or []
    return any(each["type"] == "Established" and each["status"] == "True" for each in conditions)


@pytest.fixture(scope="module")
def crds(cluster: Cluster) -> Iterator[None]:
    """Our kinds, and for the time of these tests those of the Prometheus operator."""
    cluster.kubectl.apply_file(CHART / "crds")
    theirs = list(THEIR_CRDS.glob("*.yaml"))
    for path in theirs:
        cluster.api.apply(yaml.safe_load(path.read_text()))
    ours = [f"{name}.cybervein.io" for name in ("networks", "minerpools", "minerdisks")]
    monitoring = [f"{path.stem}.monitoring.coreos.com" for path in theirs]
    for name in (*ours, *monitoring):
        cluster.api.wait("crd", name, established, "is established")
    yield
    for name in monitoring:
        cluster.api.delete("crd", name)


@pytest.fixture(scope="module")
def schemas(cluster: Cluster, crds: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The API server's own OpenAPI as JSON Schemas, one file for each kind."""
    assert crds is None
    folder = tmp_path_factory.mktemp("schemas")
    until(lambda: published(cluster.api), "the API server publishes the schemas of the CRDs")
    for path, entry in cluster.api.read("/openapi/v3")["paths"].items():
        if path.startswith(("api/v1", "apis/")) and path.count("/") in {1, 2}:
            write_schemas(cluster.api.read(entry["serverRelativeURL"]), folder)
    return folder


def published(api: Api) -> bool:
    """Whether the schemas of all CRDs are there: that is a moment after they are established."""
    paths = api.read("/openapi/v3")["paths"]
    if not paths.keys() >= PUBLISHED.keys():
        return False
    return all(
        kinds <= {name.rpartition(".")[2] for name in schemas_at(api, paths[group])}
        for group, kinds in PUBLISHED.items()
    )


def schemas_at(api: Api, entry: Object) -> Object:
    found: Object = api.read(entry["serverRelativeURL"]).get("components", {}).get("schemas", {})
    return found


def write_schemas(document: Object, folder: Path) -> None:
    """`GROUP_VERSION_KIND.json` (group `v1` for the core), in which unknown fields are errors."""
    components = document.get("components", {})
    for schema in components.get("schemas", {}).values():
        closed(schema)
    for name, schema in components.get("schemas", {}).items():
        for kind in schema.get(KIND, []):
            file = f"{kind['group'] or kind['version']}_{kind['version']}_{kind['kind'].lower()}"
            root = {"$ref": f"#/components/schemas/{name}", "components": components}
            (folder / f"{file}.json").write_text(json.dumps(root))


def closed(schema: Any) -> None:
    if isinstance(schema, list):
        for each in schema:
            closed(each)
    elif isinstance(schema, dict):
        for each in schema.values():
            closed(each)
        is_free = schema.get("x-kubernetes-preserve-unknown-fields")
        if isinstance(schema.get("properties"), dict) and not is_free:
            schema.setdefault("additionalProperties", False)


def conforms(schemas: Path, objects: list[Object]) -> str:
    """The complaint of kubeconform; empty if all objects are valid."""
    where = str(schemas / "{{.Group}}_{{.ResourceAPIVersion}}_{{.ResourceKind}}.json")
    run = subprocess.run(
        [tool("kubeconform"), "-strict", "-summary", "-schema-location", where, "-"],
        input=yaml.safe_dump_all(objects),
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=False,
    )
    return "" if run.returncode == 0 else run.stdout + run.stderr


@pytest.mark.parametrize("values", VALUES)
def test_rendered_objects_fit_the_schemas_of_the_api_server(
    helm: Helm, schemas: Path, values: str
) -> None:
    objects = helm.render("--include-crds", *EVERYTHING, *VALUES[values])
    kinds = {each["kind"] for each in objects}
    assert {"Deployment", "CustomResourceDefinition", *MONITORING} <= kinds
    assert conforms(schemas, objects) == ""


def test_plain_manifests_fit_the_schemas_of_the_api_server(schemas: Path) -> None:
    for name in ("namespace.yaml", "operator.yaml", "home.yaml"):
        objects = list(yaml.safe_load_all((ROOT / "manifests" / name).read_text()))
        assert conforms(schemas, objects) == ""


def test_monitoring_is_rendered_where_the_api_server_has_its_kinds(
    helm: Helm, cluster: Cluster, crds: None, namespace: str
) -> None:
    assert crds is None
    found = Helm(helm.directory, cluster.kubectl.kubeconfig, namespace)
    rendered = yaml.safe_load_all(
        found("template", "cybervein", CHART, "--validate", "--skip-crds")
    )
    theirs = [each for each in rendered if each and each["kind"] in MONITORING]
    assert sorted(each["kind"] for each in theirs) == sorted(MONITORING)
    cluster.api.within(namespace).apply(*theirs, dry_run=True)


def test_the_check_sees_a_wrong_field(helm: Helm, schemas: Path) -> None:
    operator = next(each for each in helm.render() if each["kind"] == "Deployment")
    operator["spec"]["replica"] = 1
    assert "additional properties 'replica' not allowed" in conforms(schemas, [operator])


def pods(objects: list[Object]) -> Iterator[Object]:
    """Every pod that the chart makes itself: of tests, Deployments and Jobs."""
    for each in objects:
        if each["kind"] == "Pod":
            yield each
        elif each["kind"] in {"Deployment", "Job"}:
            template = each["spec"]["template"]
            name = {"name": f"{each['metadata']['name']}-{each['kind'].lower()}"}
            yield {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": template["metadata"] | name,
                "spec": template["spec"],
            }


def accepted(api: Api, pod: Object, namespace: str) -> None:
    pod["metadata"]["namespace"] = namespace
    pod["spec"].pop("serviceAccountName", None)  # it is not there in a dry run
    api.within(namespace).apply(pod, dry_run=True)


@pytest.mark.parametrize("values", VALUES)
def test_every_pod_is_accepted_under_pod_security_restricted(
    cluster: Cluster, namespace: str, helm: Helm, values: str
) -> None:
    made = list(pods(helm.render(*VALUES[values])))
    assert len(made) >= 3
    for pod in made:
        accepted(cluster.api, pod, namespace)


def test_pod_security_would_have_refused_a_looser_pod(
    cluster: Cluster, namespace: str, helm: Helm
) -> None:
    pod = next(pods(helm.render()))
    pod["spec"]["containers"][0]["securityContext"]["allowPrivilegeEscalation"] = True
    with pytest.raises(ApiError, match='violates PodSecurity "restricted'):
        accepted(cluster.api, pod, namespace)


def test_the_kustomization_is_accepted_whole(cluster: Cluster, crds: None) -> None:
    assert crds is None
    kubectl = cluster.kubectl.within("cybervein")
    kubectl("create", "namespace", "cybervein")  # a dry run keeps nothing, not even it
    flags = ("--server-side", "--dry-run=server", "--force-conflicts")
    try:
        kubectl("apply", *flags, "-k", str(ROOT / "manifests"))
    finally:
        cluster.api.delete("namespace", "cybervein", wait=False)
