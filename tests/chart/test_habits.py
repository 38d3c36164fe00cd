"""What people expect of any chart: a page of its values, their own names and labels, a listing."""

import importlib.util
import sys
from types import ModuleType
from typing import Any

import pytest
import yaml
from chart_helm import CHART, PACKAGE_0_2, ROOT, Helm, HelmError, Object
from cluster.running import Cluster
from cluster.tools import kubernetes_version
from cybervein_operator.crd import definitions

pytestmark = pytest.mark.kubernetes  # for helm, which that stage builds
ABOUT = yaml.safe_load((CHART / "Chart.yaml").read_text())
OURS = {
    "app.kubernetes.io/name",
    "app.kubernetes.io/instance",
    "app.kubernetes.io/component",
}


def listed(name: str) -> Any:
    """An annotation for Artifact Hub, which holds YAML."""
    return yaml.safe_load(ABOUT["annotations"][f"artifacthub.io/{name}"])


def chart_readme() -> ModuleType:
    path = ROOT / "scripts" / "chart_readme.py"
    spec = importlib.util.spec_from_file_location("chart_readme", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_every_value_has_a_text_and_a_row_of_the_readme() -> None:
    text, page = (CHART / "values.yaml").read_text(), (CHART / "README.md").read_text()
    values = chart_readme().values(text)
    assert not [value.path for value in values if len(value.text) < 10]
    assert {"image.tag", "operator.extraEnv", "metrics.podMonitor.labels"} < {
        value.path for value in values
    }
    assert page == chart_readme().readme(CHART)  # chart_files.py writes it
    assert all(value.row in page for value in values)


def test_what_is_a_comment_behind_or_above_and_what_an_example_is_told_apart() -> None:
    text = """# Above.
#   an: example
a: {b: 1} # behind | it
c:
  # Inner
  # text.
  d: []
e: x
"""
    a, d, e = chart_readme().values(text)
    assert (a.path, a.default, a.text) == ("a", '{"b": 1}', "Above. behind | it")
    assert (d.path, d.default, d.text) == ("c.d", "[]", "Inner text.")
    assert (e.text, a.row) == ("", '| `a` | `{"b": 1}` | Above. behind \\| it |')


@pytest.mark.parametrize(
    ("values", "prefix"),
    [
        ({}, "cybervein"),
        ({"nameOverride": "vein"}, "cybervein"),  # the release has it already
        ({"nameOverride": "disks"}, "cybervein-disks"),
        ({"fullnameOverride": "mining"}, "mining"),
    ],
    ids=str,
)
def test_names_are_the_releases_or_what_is_given(
    helm: Helm, values: dict[str, Any], prefix: str
) -> None:
    objects = helm.render(values=values or None)
    names = {each["kind"]: each["metadata"]["name"] for each in objects}
    assert (names["Deployment"], names["Job"]) == (f"{prefix}-operator", f"{prefix}-crds")
    policies = [each["metadata"]["name"] for each in objects if each["kind"] == "NetworkPolicy"]
    assert policies
    assert all(name.startswith(f"{prefix}-") for name in policies)


LABELS = {"team": "storage", "app.kubernetes.io/part-of": "depot"}


def selectors(objects: list[Object]) -> dict[str, Any]:
    return {
        f"{each['kind']}/{each['metadata']['name']}": each["spec"].get(key)
        for each in objects
        for key in ("selector", "podSelector")
        if key in each.get("spec", {})
    }


def test_common_labels_are_on_every_object_and_in_no_selector(helm: Helm) -> None:
    values = {"commonLabels": LABELS, "operator": {"podLabels": {"own": "yes"}}}
    objects = helm.render("--values", CHART / "values-home.yaml", values=values)
    assert not [
        each for each in objects if not LABELS.items() <= each["metadata"]["labels"].items()
    ]
    (operator,) = [each for each in objects if each["kind"] == "Deployment"]
    pod = operator["spec"]["template"]["metadata"]
    assert (LABELS | {"own": "yes"}).items() <= pod["labels"].items()
    assert selectors(objects) == selectors(helm.render("--values", CHART / "values-home.yaml"))


def test_selectors_are_those_of_0_2(helm: Helm) -> None:
    """A Deployment's selector is immutable: another one would end every upgrade."""
    flags = ("--kube-version", kubernetes_version(), "--values", CHART / "values-home.yaml")
    text = helm("template", "cybervein", PACKAGE_0_2, *flags)
    before = selectors([each for each in yaml.safe_load_all(text) if each])
    now = selectors(helm.render("--values", CHART / "values-home.yaml"))
    assert before
    assert {name: now[name] for name in before} == before


@pytest.mark.parametrize("label", sorted(OURS))
def test_labels_that_selectors_go_by_are_not_given(helm: Helm, label: str) -> None:
    for values in ({"commonLabels": {label: "x"}}, {"operator": {"podLabels": {label: "x"}}}):
        with pytest.raises(HelmError, match=f"invalid propertyName '{label}'"):
            helm.render(values=values)


def test_the_operators_pod_takes_annotations_and_environment(helm: Helm) -> None:
    proxy = {"name": "HTTPS_PROXY", "value": "http://proxy:3128"}
    own = {"podAnnotations": {"vault.example/inject": "true"}, "extraEnv": [proxy]}
    (operator,) = [e for e in helm.render(values={"operator": own}) if e["kind"] == "Deployment"]
    template = operator["spec"]["template"]
    assert own["podAnnotations"].items() < template["metadata"]["annotations"].items()
    assert proxy in template["spec"]["containers"][0]["env"]
    with pytest.raises(HelmError, match="extraEnv"):
        helm.render(values={"operator": {"extraEnv": [{"name": "POD_NAMESPACE", "value": "x"}]}})


def test_the_listing_tells_kinds_image_licence_and_changes_as_they_are() -> None:
    kinds = {
        (spec["names"]["kind"], each["metadata"]["name"], version["name"])
        for each in definitions()
        for spec in [each["spec"]]
        for version in spec["versions"]
    }
    assert {(each["kind"], each["name"], each["version"]) for each in listed("crds")} == kinds
    assert listed("images") == [{"name": "cybervein", "image": f"cybervein:{ABOUT['version']}"}]
    assert listed("license") == "Apache-2.0"
    assert "Apache License" in (ROOT / "LICENSE").read_text()
    known = {"added", "changed", "deprecated", "removed", "fixed", "security"}
    assert all(each["kind"] in known and each["description"] for each in listed("changes"))


def test_the_listings_examples_are_accepted(cluster: Cluster, namespace: str) -> None:
    cluster.kubectl.apply_file(CHART / "crds")
    cluster.api.within(namespace).apply(*listed("crdsExamples"), dry_run=True)
