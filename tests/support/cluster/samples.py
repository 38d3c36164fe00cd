"""Small objects that the harness's own tests apply."""

from typing import Any

Object = dict[str, Any]
RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": True,
    "runAsUser": 65532,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def container(image: str = "none", **more: Any) -> Object:
    """A container that Pod Security `restricted` admits."""
    return {"name": "main", "image": image, "securityContext": RESTRICTED, **more}


def stateful_set(
    name: str, *, replicas: int = 1, claim: str = "", main: Object | None = None
) -> Object:
    """A StatefulSet with one container, and a claim of that size where given."""
    labels = {"app": name}
    spec: Object = {
        "serviceName": name,
        "replicas": replicas,
        "selector": {"matchLabels": labels},
        "template": {
            "metadata": {"labels": labels},
            "spec": {"containers": [main or container()]},
        },
    }
    if claim:
        spec["volumeClaimTemplates"] = [_claim(claim)]
        mounts = [{"name": "data", "mountPath": "/data"}]
        spec["template"]["spec"]["containers"][0]["volumeMounts"] = mounts
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": name},
        "spec": spec,
    }


def _claim(size: str) -> Object:
    return {
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}},
    }
