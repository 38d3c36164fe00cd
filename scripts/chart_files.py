"""Writes what the chart and manifests/ have from elsewhere, so that none of it lags behind.

* `charts/cybervein/crds/`: the CRDs of `manifests/crds/`;
* `charts/cybervein/values.schema.json`: `charts/values.schema.yaml` with the specs of the CRDs;
* `charts/cybervein/files/rules.yaml`: the alerts of `dashboards/alerts/`, one group;
* `charts/cybervein/files/kube-state-metrics.yaml`: that of `dashboards/`, without anchors;
* `charts/cybervein/README.md`: its page, from `values.yaml` (chart_readme.py);
* `manifests/*.yaml`: the chart as Helm renders it, for those who do without Helm.

`tests/chart` regenerates and expects no difference. Needs the programs of `make kubernetes-tools`.
Run: .venv/bin/python scripts/chart_files.py
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).parents[1]
CHART = ROOT / "charts" / "cybervein"
CRDS = ROOT / "manifests" / "crds"
ALERTS = ROOT / "dashboards" / "alerts"
NAMESPACE = "cybervein"
KUBERNETES = "v1.34.4"
POLICIES = "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy"
"""A kind that Kubernetes has and Helm does not know of without a cluster."""
SPECS = {"networks.cybervein.io.yaml": "networkSpec", "minerpools.cybervein.io.yaml": "poolSpec"}
NOTE = "# Written by scripts/chart_files.py from charts/cybervein; change it there.\n"
RULES_NOTE = "# Written by scripts/chart_files.py from dashboards/alerts; change it there.\n"
SERIES = ROOT / "dashboards" / "kube-state-metrics.yaml"
SERIES_NOTE = "# Written by scripts/chart_files.py from dashboards/kube-state-metrics.yaml.\n"
FLAVOURS = {"operator.yaml": (), "home.yaml": ("--values", str(CHART / "values-home.yaml"))}
"""File of manifests/ and what `helm template` is told for it, beside what all are told."""

Schema = dict[str, Any]


def crds() -> dict[Path, str]:
    """The chart's copies of the CRDs."""
    return {CHART / "crds" / path.name: path.read_text() for path in sorted(CRDS.glob("*.yaml"))}


def values_schema() -> dict[Path, str]:
    """The schema of the values."""
    schema = yaml.safe_load((ROOT / "charts" / "values.schema.yaml").read_text())
    for name, key in SPECS.items():
        crd = yaml.safe_load((CRDS / name).read_text())
        root = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        schema["$defs"][key] = strict(root["properties"]["spec"])
    return {CHART / "values.schema.json": json.dumps(schema, indent=1, ensure_ascii=False) + "\n"}


def rules() -> dict[Path, str]:
    """The chart's alert rules: those of every file, in the order of their names."""
    found = [
        rule
        for path in sorted(ALERTS.glob("*.yaml"))
        if not path.stem.endswith("_test")
        for group in yaml.safe_load(path.read_text())["groups"]
        for rule in group["rules"]
    ]
    text = yaml.safe_dump({"groups": [{"name": "cybervein", "rules": found}]}, sort_keys=False)
    return {CHART / "files" / "rules.yaml": RULES_NOTE + text}


class _Plain(yaml.SafeDumper):
    """Repeats instead of aliasing, which not everything that reads it can."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ANN401, ARG002 -- as yaml calls it
        """Never an anchor."""
        return True


def series() -> dict[Path, str]:
    """The chart's copy of what kube-state-metrics is told."""
    document = yaml.safe_load(SERIES.read_text())
    text = yaml.dump(document, Dumper=_Plain, sort_keys=False, width=100)
    return {CHART / "files" / SERIES.name: SERIES_NOTE + text}


def strict(schema: Any) -> Any:  # noqa: ANN401 -- JSON
    """A structural schema as plain JSON Schema, in which an unknown field is an error.

    What only Kubernetes understands goes: the API server checks CEL rules itself.
    """
    if not isinstance(schema, dict):
        return schema
    out = {key: value for key, value in schema.items() if not key.startswith("x-kubernetes-")}
    if schema.get("x-kubernetes-int-or-string"):
        return out | {"type": ["integer", "string"]}
    out |= {key: strict(out[key]) for key in ("items", "additionalProperties") if key in out}
    if "properties" in out:
        out["properties"] = {key: strict(value) for key, value in out["properties"].items()}
        out.setdefault("additionalProperties", False)
    return out


def readme() -> dict[Path, str]:
    """The chart's own page."""
    page: str = _loaded(ROOT / "scripts" / "chart_readme.py").readme(CHART)
    return {CHART / "README.md": page}


def helm() -> Path:
    """The pinned Helm of the test tools."""
    path: Path = _loaded(ROOT / "scripts" / "kubernetes" / "build.py").located("helm")
    if not path.exists():
        raise SystemExit(f"error: helm is not built (looked at {path}); run: make kubernetes-tools")
    return path


def _loaded(script: Path) -> ModuleType:
    """Another script as a module: scripts are no package."""
    spec = importlib.util.spec_from_file_location(f"cybervein_{script.stem}", script)
    if spec is None or spec.loader is None:
        raise SystemExit(f"error: {script} is missing; this script needs it")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def manifests() -> dict[Path, str]:
    """What `kubectl apply -k manifests` and `kubectl apply -f` use."""
    return {ROOT / "manifests" / name: render(flags) for name, flags in FLAVOURS.items()}


def render(flags: tuple[str, ...]) -> str:
    """The chart without hooks and without Helm's own labels."""
    command = [str(helm()), "template", "cybervein", str(CHART), "--namespace", NAMESPACE]
    command += ["--kube-version", KUBERNETES, "--api-versions", POLICIES, "--no-hooks", *flags]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise SystemExit(f"error: helm template failed: {run.stderr.strip()}")
    documents = [each for each in yaml.safe_load_all(run.stdout) if each]
    for each in documents:
        _without_helm(each)
    return NOTE + yaml.safe_dump_all(documents, sort_keys=False, width=100)


def _without_helm(document: Schema) -> None:
    labels = document["metadata"]["labels"]
    labels.pop("helm.sh/chart")
    labels["app.kubernetes.io/managed-by"] = "kubectl"


def files() -> dict[Path, str]:
    """Every file that this script owns, with its text; the chart's own first."""
    return crds() | values_schema() | rules() | series() | readme() | manifests()


def main() -> None:
    """Write them: the chart is rendered when its schema and CRDs are there."""
    for part in (crds, values_schema, rules, series, readme, manifests):
        for path, text in part().items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
