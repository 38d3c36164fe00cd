"""Parts that the pods of miners and super nodes have in common: Pod Security `restricted`."""

from collections.abc import Mapping, Sequence
from typing import Final

from cybervein_operator.api import MinerPoolSpec, NetworkSpec, to_plain
from cybervein_operator.api.pods import PodResources, Toleration
from cybervein_operator.desired.names import Object

UID: Final = 65532
SECRET_MODE: Final = 0o440
"""fsGroup lets the group read mounted secrets, whatever mode is asked for: so it is said."""

_CONTAINER_SECURITY: Final[Object] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": True,
}


def base(*, image_pull_secrets: Sequence[str]) -> Object:
    """A pod without rights: no API token, no root, no environment full of Services."""
    secrets = [{"name": each} for each in image_pull_secrets]
    return {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 120,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": UID,
            "runAsGroup": UID,
            "fsGroup": UID,
            # The group of a disk with a million files is set once, not at each start.
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    } | given(imagePullSecrets=secrets)


def given(**fields: object) -> Object:
    """Only what has a value: an empty field would be owned, and fought for, in vain."""
    return {key: value for key, value in fields.items() if value}


def tolerations(items: Sequence[Toleration]) -> list[Object]:
    """As a pod has them."""
    return [to_plain(each) for each in items]


def resources(wish: PodResources | None, default: Mapping[str, str]) -> Object:
    """What a person said, else requests that let the scheduler count at all."""
    return {"requests": dict(default)} if wish is None else to_plain(wish)


def probe(path: str, port: str, *, period: int, failures: int, scheme: str = "HTTP") -> Object:
    """An HTTP probe; seconds."""
    return {
        "httpGet": {"path": path, "port": port, "scheme": scheme},
        "periodSeconds": period,
        "timeoutSeconds": 5,
        "failureThreshold": failures,
    }


def image(spec: MinerPoolSpec | NetworkSpec, default: str) -> Object:
    """The image that a spec names, or the default, and when it is pulled."""
    policy = spec.image_pull_policy
    return {"image": spec.image or default} | given(imagePullPolicy=policy and str(policy))


def container(
    name: str, image: Object, args: Sequence[str], needs: Object, mounts: Sequence[Object]
) -> Object:
    """A container of our image that `needs` resources, with a small `/tmp` of its own."""
    return image | {
        "name": name,
        "args": list(args),
        "resources": needs,
        "securityContext": _CONTAINER_SECURITY,
        "volumeMounts": [*mounts, mount("tmp", "/tmp")],  # noqa: S108 -- the pod's own
    }


def mount(name: str, path: str, *, read_only: bool = False) -> Object:
    """A volume at a path."""
    return {"name": name, "mountPath": path} | given(readOnly=read_only)


def claim_volume(name: str, claim: str) -> Object:
    """A claim as a volume."""
    return {"name": name, "persistentVolumeClaim": {"claimName": claim}}


def scratch(name: str) -> Object:
    """A small directory that goes with the pod."""
    return {"name": name, "emptyDir": {"sizeLimit": "64Mi"}}


def claim(metadata: Object, size: int | str, storage_class: str | None) -> Object:
    """A PersistentVolumeClaim; an absent class is the cluster's default."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": metadata,
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": str(size)}},
        }
        | given(storageClassName=storage_class),
    }
