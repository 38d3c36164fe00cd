"""The cluster's DNS: CoreDNS as a pod behind the Service `kube-dns`, as clusters have it."""

from cluster.api import Api
from cluster.kwok import is_ready
from cluster.node.containerd import Containerd
from cluster.node.oci import write_image
from cluster.rest import Object
from cluster.tools import tool

ADDRESS = "10.96.0.10"
DOMAIN = "cluster.local"
IMAGE = "localhost/coredns:1"
NAME = "coredns"
LABELS = {"k8s-app": "kube-dns"}
COREFILE = f"""
{DOMAIN} in-addr.arpa ip6.arpa {{
    errors
    ready
    kubernetes {{
        ttl 1
    }}
}}
. {{
    template ANY ANY {{
        rcode NXDOMAIN
    }}
}}
"""


def start_dns(api: Api, containerd: Containerd) -> None:
    """Apply it and wait until it answers. Names outside the cluster do not exist."""
    archive = write_image(containerd.directory / "coredns.tar", tool("coredns"))
    containerd.load(archive, IMAGE)
    system = api.within("kube-system")
    rules = [
        {
            "apiGroups": ["", "discovery.k8s.io"],
            "resources": ["endpointslices", "services", "pods", "namespaces"],
            "verbs": ["list", "watch"],
        }
    ]
    system.apply(
        _object("v1", "ServiceAccount"),
        _object("v1", "ConfigMap", data={"Corefile": COREFILE}),
        _object("rbac.authorization.k8s.io/v1", "ClusterRole", rules=rules),
        _object("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", **_binding()),
        _object("v1", "Pod", spec=_pod()),
        {**_object("v1", "Service", spec=_service()), "metadata": {"name": "kube-dns"}},
    )
    system.wait("pod", NAME, is_ready, "is Ready")


def _object(version: str, kind: str, **fields: object) -> Object:
    metadata = {"name": NAME, "labels": LABELS}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **fields}


def _binding() -> Object:
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": NAME}
    who = {"kind": "ServiceAccount", "name": NAME, "namespace": "kube-system"}
    return {"roleRef": role, "subjects": [who]}


def _pod() -> Object:
    # As often as it takes to be there soon; a busy machine must not take every name away.
    probe = {"periodSeconds": 1, "timeoutSeconds": 5, "failureThreshold": 30}
    container = {
        "name": "dns",
        "image": IMAGE,
        "imagePullPolicy": "Never",
        "args": ["-conf", "/etc/coredns/Corefile"],
        "readinessProbe": {"httpGet": {"path": "/ready", "port": 8181}} | probe,
        "volumeMounts": [{"name": "config", "mountPath": "/etc/coredns"}],
    }
    config = {"name": "config", "configMap": {"name": NAME}}
    return {
        "serviceAccountName": NAME,
        "dnsPolicy": "Default",
        "containers": [container],
        "volumes": [config],
    }


def _service() -> Object:
    ports = [
        {"name": f"dns-{protocol.lower()}", "port": 53, "protocol": protocol}
        for protocol in ("UDP", "TCP")
    ]
    return {"clusterIP": ADDRESS, "selector": LABELS, "ports": ports}
