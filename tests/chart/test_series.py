"""What kube-state-metrics is told: every path is a field, every series is documented."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from chart_helm import CHART, ROOT, Helm
from cybervein_operator.api.disk import DiskPhase
from cybervein_operator.crd import definitions

pytestmark = pytest.mark.kubernetes  # for helm, which that stage builds
TOLD = CHART / "files" / "kube-state-metrics.yaml"
RESOURCES = yaml.safe_load(TOLD.read_text())["spec"]["resources"]
SCHEMAS = {
    each["spec"]["names"]["kind"]: each["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    for each in definitions()
}


def metrics() -> Iterator[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]]:
    """Each kind, each metric of it, and how its values are found."""
    for resource in RESOURCES:
        for metric in resource["metrics"]:
            kind = metric["each"]["type"]
            yield resource, metric, metric["each"][kind[0].lower() + kind[1:]]


def field(schema: dict[str, Any], path: list[str]) -> dict[str, Any] | None:
    """The schema at a path; the API server itself has names and namespaces."""
    if path in (["metadata", "name"], ["metadata", "namespace"]):
        return {"type": "string"}
    for name in path:
        schema = schema.get("properties", {}).get(name)
        if schema is None:
            return None
    return schema


def test_every_path_is_a_field_of_its_kind() -> None:
    seen = 0
    for resource, metric, how in metrics():
        schema = SCHEMAS[resource["groupVersionKind"]["kind"]]
        base = field(schema, how.get("path", []))
        assert base is not None, metric
        inner = base.get("items", base)
        labels = [*how.get("labelsFromPath", {}).values(), how.get("valueFrom", [])]
        for path in [*labels, *resource["labelsFromPath"].values()]:
            found = field(inner, path) or field(schema, path)
            assert found is not None, (metric["name"], path)
            seen += 1
    assert seen > 50


def test_all_three_kinds_tell_conditions_and_all_their_phases() -> None:
    assert {each["groupVersionKind"]["kind"] for each in RESOURCES} == set(SCHEMAS)
    names = [metric["name"] for _, metric, _ in metrics()]
    assert names.count("condition") == len(SCHEMAS)
    (phase,) = [how for _, metric, how in metrics() if metric["name"] == "phase"]
    assert phase["list"] == [str(each) for each in DiskPhase]
    assert "spec_replicas" in names


def test_every_series_is_documented_with_its_labels() -> None:
    _, table, _ = (ROOT / "docs/metrics.md").read_text().split("<!-- kinds -->")
    told = re.findall(r"^\| `(\w+)` \| (.*?) \| (.*) \|$", table, re.MULTILINE)
    documented = {name: (set(re.findall(r"`(\w+)`", labels)), text) for name, labels, text in told}
    served = {}
    for resource, metric, how in metrics():
        labels = {*how.get("labelsFromPath", {}), how.get("labelFromKey"), how.get("labelName")}
        name = f"{resource['metricNamePrefix']}_{metric['name']}"
        served[name] = (labels - {None}, metric["help"])
    assert documented == served


def test_the_chart_gives_it_and_the_right_to_list_our_kinds(helm: Helm) -> None:
    assert not [e for e in helm.render() if e["metadata"]["name"].endswith("-kube-state-metrics")]
    wish = {"enabled": True, "namespace": "monitoring", "serviceAccount": "ksm"}
    objects = {
        each["kind"]: each
        for each in helm.render(values={"metrics": {"kubeStateMetrics": wish}})
        if each["metadata"]["name"].endswith("-kube-state-metrics")
    }
    told = yaml.safe_load(objects["ConfigMap"]["data"]["config.yaml"])
    assert told == yaml.safe_load(TOLD.read_text())
    assert objects["ConfigMap"]["metadata"]["namespace"] == "monitoring"
    assert {verb for rule in objects["ClusterRole"]["rules"] for verb in rule["verbs"]} == {
        "list",
        "watch",
    }
    subject = {"kind": "ServiceAccount", "name": "ksm", "namespace": "monitoring"}
    assert objects["ClusterRoleBinding"]["subjects"] == [subject]
    without = wish | {"serviceAccount": ""}
    kinds = [
        each["kind"]
        for each in helm.render(values={"metrics": {"kubeStateMetrics": without}})
        if each["metadata"]["name"].endswith("-kube-state-metrics")
    ]
    assert kinds == ["ConfigMap"]


def pods_of(kinds: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Pod templates of a super node and a miner as the operator makes them, and the operator's."""
    goldens = ROOT / "tests" / "operator" / "goldens"
    made = {"operator": kinds["Deployment"]["spec"]["template"]}
    for name, file in (("supernode", "net.yaml"), ("miner", "home-0.yaml")):
        documents = list(yaml.safe_load_all((goldens / file).read_text()))
        (set_,) = [each for each in documents if each["kind"] == "StatefulSet"]
        made[name] = set_["spec"]["template"]
    return made


def test_the_monitor_scrapes_one_port_of_every_pod_of_ours(helm: Helm) -> None:
    flag = "--api-versions=monitoring.coreos.com/v1/PodMonitor"
    kinds = {each["kind"]: each for each in helm.render(flag)}
    monitor = kinds["PodMonitor"]["spec"]
    (wanted,) = monitor["selector"]["matchExpressions"]
    endpoints = {each["port"]: each for each in monitor["podMetricsEndpoints"]}
    scraped = {}
    for name, pod in pods_of(kinds).items():
        labels = pod["metadata"]["labels"]
        assert labels[wanted["key"]] in wanted["values"], name
        assert monitor["selector"]["matchLabels"].items() <= labels.items()
        ports = [port["name"] for each in pod["spec"]["containers"] for port in each["ports"]]
        (scraped[name],) = [port for port in ports if port in endpoints]
    assert scraped == {"operator": "metrics", "miner": "metrics", "supernode": "https"}
    assert endpoints["https"]["scheme"] == "https"
    assert endpoints["https"]["tlsConfig"] == {"insecureSkipVerify": True}
