"""The chart takes what is right and says what is wrong before anything reaches a cluster."""

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from chart_helm import CHART, MONITORING, ROOT, Helm, HelmError

pytestmark = pytest.mark.kubernetes  # for helm, which that stage builds
EXAMPLES = sorted(CHART.glob("values-*.yaml"))


def script() -> ModuleType:
    path = ROOT / "scripts" / "chart_files.py"
    spec = importlib.util.spec_from_file_location("chart_files", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_generated_files_are_what_the_generator_writes() -> None:
    for path, text in script().files().items():
        assert path.read_text() == text, f"{path.name}: run scripts/chart_files.py"


def test_manifests_install_what_the_chart_installs(helm: Helm) -> None:
    def names(objects: list[dict[str, Any]]) -> set[tuple[str, str]]:
        return {(each["kind"], each["metadata"]["name"]) for each in objects}

    plain = [
        each for each in yaml.safe_load_all((ROOT / "manifests/operator.yaml").read_text()) if each
    ]
    assert names(plain) == names(helm.render("--no-hooks"))


@pytest.mark.parametrize(
    "values", [None, *EXAMPLES], ids=lambda path: path.name if path else "none"
)
def test_lint_has_nothing_against_it(helm: Helm, values: Path | None) -> None:
    text = helm("lint", "--strict", CHART, *(("--values", values) if values else ()))
    assert "0 chart(s) failed" in text


def test_examples_are_those_that_the_documentation_names() -> None:
    assert {path.name for path in EXAMPLES} == {"values-datacenter.yaml", "values-home.yaml"}


POOL = {"networkRef": {"name": "n"}, "disks": [{"name": "d", "claimTemplate": {"size": "5Gi"}}]}
HOST_DISK = [{"name": "d", "hostPath": "/mnt/d"}]

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"pols": {}}, "additional properties 'pols' not allowed"),
    ({"pools": {"p": POOL | {"replica": 3}}}, "additional properties 'replica' not allowed"),
    ({"pools": {"p": POOL | {"replicas": -1}}}, "/pools/p/replicas"),
    ({"pools": {"p": POOL | {"replicas": "three"}}}, "got string, want integer"),
    ({"pools": {"p": {"networkRef": {"name": "n"}}}}, "missing property 'disks'"),
    ({"pools": {"p": POOL | {"plots": {"fill": 1001}}}}, "/pools/p/plots/fill"),
    ({"pools": {"P_1": POOL}}, "P_1"),
    ({"networks": {"n": {"preset": "mainnet"}}}, "/networks/n/preset"),
    ({"networks": {"n": {"preset": "local", "supernode": {}}}}, "'supernode' not allowed"),
    ({"operator": {"replica": 2}}, "'replica' not allowed"),
    ({"operator": {"replicas": 0}}, "/operator/replicas"),
    ({"image": {"tag": "no spaces"}}, "/image/tag"),
    ({"image": {"digest": "sha256:short"}}, "/image/digest"),
    ({"networkPolicy": {"apiServerPorts": [70000]}}, "/networkPolicy/apiServerPorts/0"),
    ({"valuesVersion": 3}, "valuesVersion is 3 and chart 0.2.0 knows 2"),
    ({"pools": {"p": POOL | {"disks": HOST_DISK}}}, "Set `allowHostAccess: true`"),
    ({"pools": {"p": POOL | {"address": {"type": "HostPort"}}}}, "address.type is HostPort"),
    ({"watchNamespaces": ["UPPER"]}, "/watchNamespaces/0"),
]


@pytest.mark.parametrize(("values", "message"), WRONG, ids=lambda each: str(each)[:50])
def test_wrong_values_are_refused_with_the_place_and_the_reason(
    helm: Helm, values: dict[str, Any], message: str
) -> None:
    with pytest.raises(HelmError) as refusal:
        helm.render(values=values)
    assert message in str(refusal.value)


OLD: list[dict[str, Any]] = [
    {"network": {"name": "home", "preset": "local"}},
    {"pool": {"name": "pool", "miners": 3}},
    {"imageTag": "0.1.0"},
    {"valuesVersion": 1},
]


@pytest.mark.parametrize("values", OLD, ids=lambda values: next(iter(values)))
def test_values_of_chart_0_1_are_refused_with_the_way_to_rewrite_them(
    helm: Helm, values: dict[str, Any]
) -> None:
    with pytest.raises(HelmError) as refusal:
        helm.render(values=values)
    assert "values of chart 0.1" in str(refusal.value)
    assert "docs/operations.md" in str(refusal.value)
    assert "Values of chart 0.1" in (ROOT / "docs/operations.md").read_text()


def test_host_paths_are_rendered_where_they_are_allowed(helm: Helm) -> None:
    values = {"allowHostAccess": True, "pools": {"p": POOL | {"disks": HOST_DISK}}}
    pools = [each for each in helm.render(values=values) if each["kind"] == "MinerPool"]
    assert pools[0]["spec"]["disks"] == HOST_DISK


def test_monitoring_kinds_are_rendered_only_where_the_cluster_has_them(helm: Helm) -> None:
    def monitoring(*flags: str) -> set[str]:
        return {each["kind"] for each in helm.render(*flags)} & set(MONITORING)

    assert monitoring() == set()
    flags = [f"--api-versions=monitoring.coreos.com/v1/{kind}" for kind in MONITORING]
    assert monitoring(*flags) == set(MONITORING)


def test_the_image_is_a_digest_where_one_is_given(helm: Helm) -> None:
    digest = "sha256:" + "0" * 64
    objects = helm.render(values={"image": {"repository": "mine/cybervein", "digest": digest}})
    images = {
        each["image"]
        for thing in objects
        if thing["kind"] in {"Deployment", "Job"}
        for each in thing["spec"]["template"]["spec"]["containers"]
    }
    assert images == {f"mine/cybervein@{digest}"}


def test_roles_are_made_in_its_own_and_the_watched_namespaces_and_nowhere_else(helm: Helm) -> None:
    objects = helm.render(values={"watchNamespaces": ["rack-a", "rack-b"]})
    roles = {each["metadata"]["namespace"] for each in objects if each["kind"] == "Role"}
    assert roles == {"cybervein", "rack-a", "rack-b"}
    operator = next(each for each in objects if each["kind"] == "Deployment")
    args = operator["spec"]["template"]["spec"]["containers"][0]["args"]
    assert {f"--namespace={each}" for each in roles} <= set(args)


def test_all_namespaces_take_a_cluster_role_with_the_same_rules_and_no_role(helm: Helm) -> None:
    def rules(objects: list[dict[str, Any]], kind: str, name: str) -> Any:
        (found,) = [each for each in objects
                    if each["kind"] == kind and each["metadata"]["name"] == name]  # fmt: skip
        return found["rules"]

    wide = helm.render(values={"watchAllNamespaces": True})
    everywhere = rules(wide, "ClusterRole", "cybervein-cybervein-operator-all")
    here = rules(helm.render(), "Role", "cybervein-operator")
    for rule in here:
        if rule["resources"] == ["namespaces"]:
            del rule["resourceNames"]
    assert everywhere == here
    assert not {"Role", "RoleBinding"} & {each["kind"] for each in wide}
    operator = next(each for each in wide if each["kind"] == "Deployment")
    args = operator["spec"]["template"]["spec"]["containers"][0]["args"]
    assert "--release=cybervein" in args
    assert not [each for each in args if each.startswith("--namespace")]


def test_of_two_replicas_one_is_replaced_at_a_time_and_a_single_one_never_overlaps(
    helm: Helm,
) -> None:
    def spec(**operator: Any) -> dict[str, Any]:
        objects = helm.render(values={"operator": operator})
        found: dict[str, Any] = next(e for e in objects if e["kind"] == "Deployment")["spec"]
        return found

    assert spec()["strategy"] == {"type": "Recreate"}
    two = spec(replicas=2)
    assert two["replicas"] == 2
    assert two["strategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}
    probe = two["template"]["spec"]["containers"][0]["readinessProbe"]
    assert probe["httpGet"]["path"] == "/readyz"


def rules_on_secrets(role: dict[str, Any]) -> list[tuple[list[str], list[str]]]:
    """Verbs, and the names that they are limited to."""
    return [
        (rule["verbs"], rule.get("resourceNames", []))
        for rule in role["rules"]
        if "secrets" in rule["resources"]
    ]


def test_no_role_reads_or_changes_secrets_whose_names_it_does_not_say(helm: Helm) -> None:
    networks = {"own": {"preset": "test", "superNode": {"storage": {"size": "1Gi"}}}}
    values = {"watchNamespaces": ["b"], "networks": networks, "rbac": {"adoptNetworks": ["early"]}}
    roles = [each for each in helm.render(values=values) if each["kind"] in {"Role", "ClusterRole"}]
    found = {
        role["metadata"].get("namespace", "whole cluster"): rules_on_secrets(role)
        for role in roles
        if rules_on_secrets(role)
    }
    own, tls = ["cybervein-operator-control"], ["cybervein-operator-tls"]
    everywhere = [(["create"], []), (["get", "patch"], tls)]
    assert found == {
        "cybervein": [*everywhere, (["get"], own), (["get"], ["early-ca", "own-ca"])],
        "b": [*everywhere, (["get"], ["early-ca"])],
    }


def test_the_policy_on_secrets_may_be_left_out(helm: Helm) -> None:
    kind = "ValidatingAdmissionPolicy"
    assert kind in {each["kind"] for each in helm.render()}
    without = helm.render(values={"rbac": {"secretPolicy": False}})
    assert not {kind, f"{kind}Binding"} & {each["kind"] for each in without}


def test_pods_of_pools_pull_with_the_secrets_of_the_release(helm: Helm) -> None:
    objects = helm.render(values={"image": {"pullSecrets": ["registry"]}})
    [operator] = [each for each in objects if each["kind"] == "Deployment"]
    pod = operator["spec"]["template"]["spec"]
    assert pod["imagePullSecrets"] == [{"name": "registry"}]
    assert "--image-pull-secret=registry" in pod["containers"][0]["args"]


LABELS = {"cybervein_io_miner", "cybervein_io_network"}


def test_every_alert_asks_for_metrics_that_are_documented() -> None:
    rules = yaml.safe_load((CHART / "files/rules.yaml").read_text())
    pages = ("metrics", "operator", "supernode")
    documented = "".join((ROOT / "docs" / f"{page}.md").read_text() for page in pages)
    for rule in rules["groups"][0]["rules"]:
        names = set(re.findall(r"cybervein_\w+", rule["expr"])) - LABELS
        assert names
        for name in names:
            assert f"`{name}`" in documented
        assert {"summary", "description"} <= set(rule["annotations"])


def test_policies_open_the_ports_that_the_releases_own_super_nodes_publish(helm: Helm) -> None:
    node = {
        "storage": {"size": "1Gi"},
        "url": "https://192.0.2.1:30770",
        "service": {"type": "NodePort", "nodePort": 30771},
    }
    named = {"storage": {"size": "1Gi"}, "url": "https://super.example"}
    networks = {
        "ports": {"preset": "test", "superNode": node},
        "named": {"preset": "test", "superNode": named},
    }
    objects = helm.render(values={"networks": networks})
    for what in ("miner", "operator"):
        (policy,) = [each for each in objects if each["metadata"]["name"] == f"cybervein-{what}"
                     and each["kind"] == "NetworkPolicy"]  # fmt: skip
        ports = [port["port"] for port in policy["spec"]["egress"][-1]["ports"]]
        assert ports == [443, 7700, 30771, 30770]
