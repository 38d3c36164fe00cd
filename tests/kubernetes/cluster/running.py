"""A cluster as a test sees it: who is admin, how a ServiceAccount logs in, what it is made of."""

import json
from dataclasses import dataclass
from pathlib import Path

from cluster.control_plane import ControlPlane
from cluster.credentials import write_kubeconfig
from cluster.kubectl import Kubectl

RESTRICTED = {
    "pod-security.kubernetes.io/enforce": "restricted",
    "pod-security.kubernetes.io/warn": "restricted",
}


@dataclass(frozen=True)
class Cluster:
    """`kubectl` is the admin's; `control_plane` is None in a cluster that is not ours."""

    kubectl: Kubectl
    directory: Path
    control_plane: ControlPlane | None

    def make_namespace(self, name: str, *, pod_security: bool = True) -> None:
        """A namespace, enforcing Pod Security `restricted` unless told otherwise."""
        labels = RESTRICTED if pod_security else {}
        self.kubectl.apply(
            {
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": {"name": name, "labels": labels},
            }
        )

    def login(self, namespace: str, service_account: str, *, duration: str = "24h") -> Path:
        """The kubeconfig of a ServiceAccount that exists, by a token of the TokenRequest API."""
        token = self.kubectl.within(namespace)(
            "create", "token", service_account, f"--duration={duration}"
        ).strip()
        view = json.loads(
            self.kubectl("config", "view", "--raw", "--minify", "--flatten", "-o", "json")
        )
        where = view["clusters"][0]["cluster"]
        return write_kubeconfig(
            self.directory / f"{namespace}-{service_account}.kubeconfig",
            server=where["server"],
            authority=where["certificate-authority-data"],
            token=token,
        )
