"""The real `helm`, and what the chart renders."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from cluster.tools import kubernetes_version, tool
from waiting import DEADLINE_SECONDS

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts" / "cybervein"
PACKAGES = ROOT / "tests" / "chart" / "packages"
PACKAGE_0_1 = PACKAGES / "cybervein-0.1.0.tgz"
PACKAGE_0_2 = PACKAGES / "cybervein-0.2.0.tgz"
MONITORING = ("PodMonitor", "PrometheusRule")
POLICIES = "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy"
"""A kind that Kubernetes has and Helm does not know of without a cluster."""
TIMEOUT = ("--timeout", f"{DEADLINE_SECONDS:.0f}s")
"""Helm's own deadline for what it waits for."""

Object = dict[str, Any]


class HelmError(RuntimeError):
    """Helm refused; its text is what it printed to stderr."""


@dataclass(frozen=True)
class Helm:
    """Helm for one cluster and namespace, or for no cluster."""

    directory: Path
    kubeconfig: Path | None = None
    namespace: str = "cybervein"

    def __call__(self, *arguments: str | Path) -> str:
        """Run it and return its stdout; its own state stays in the test's folder."""
        home = {f"HELM_{name}_HOME": str(self.directory) for name in ("CACHE", "CONFIG", "DATA")}
        target = {"KUBECONFIG": str(self.kubeconfig or self.directory / "none")}
        run = subprocess.run(
            [tool("helm"), "--namespace", self.namespace, *arguments],
            env={**os.environ, **home, **target},
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS + 60,
            check=False,
        )
        if run.returncode != 0:
            raise HelmError(f"{run.stderr}{run.stdout}")
        return run.stdout

    def values(self, values: Object) -> Path:
        """A file with these values."""
        path = self.directory / f"values-{len(list(self.directory.glob('values-*')))}.yaml"
        path.write_text(json.dumps(values))
        return path

    def render(self, *flags: str | Path, values: Object | None = None) -> list[Object]:
        """The objects of `helm template`."""
        more = ("--values", self.values(values)) if values else ()
        known = ("--kube-version", kubernetes_version(), "--api-versions", POLICIES)
        text = self("template", "cybervein", CHART, *known, *flags, *more)
        return [each for each in yaml.safe_load_all(text) if each]


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
