"""A cluster as a test sees it: who is admin, how a ServiceAccount logs in, what it is made of."""

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from cluster.api import Api
from cluster.control_plane import ControlPlane
from cluster.credentials import write_kubeconfig
from cluster.kubectl import Kubectl
from cluster.rest import Endpoint

HTTPS = 443
RESTRICTED = {
    "pod-security.kubernetes.io/enforce": "restricted",
    "pod-security.kubernetes.io/warn": "restricted",
}


@dataclass(frozen=True)
class Cluster:
    """`api` and `kubectl` are the admin's; `control_plane` is None where it is not ours."""

    api: Api
    kubectl: Kubectl
    directory: Path
    control_plane: ControlPlane | None

    def make_namespace(self, name: str, *, pod_security: bool = True) -> None:
        """A namespace, enforcing Pod Security `restricted` unless told otherwise."""
        labels = RESTRICTED if pod_security else {}
        self.api.apply(
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
        where = self._where()
        return write_kubeconfig(
            self.directory / f"{namespace}-{service_account}.kubeconfig",
            server=where["server"],
            authority=where["certificate-authority-data"],
            token=token,
        )

    def api_of(self, kubeconfig: Path, namespace: str) -> Api:
        """The API as the user that `login` wrote a kubeconfig for."""
        document = json.loads(kubeconfig.read_text())
        where = document["clusters"][0]["cluster"]
        server = urlsplit(where["server"])
        endpoint = Endpoint(
            host=str(server.hostname),
            port=server.port or HTTPS,
            authority=base64.b64decode(where["certificate-authority-data"]).decode(),
            token=document["users"][0]["user"]["token"],
        )
        return Api.at(endpoint).within(namespace)

    def _where(self) -> dict[str, str]:
        """Server and authority of the admin's kubeconfig, whatever names them."""
        view = self.kubectl("config", "view", "--raw", "--minify", "--flatten", "-o", "json")
        where: dict[str, str] = json.loads(view)["clusters"][0]["cluster"]
        return where
