"""Which resources the operator touches, and the URLs they have."""

from dataclasses import dataclass
from enum import Enum

from cybervein_operator.api import GROUP, VERSION


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource: its group/version, plural, and kind."""

    api_version: str
    plural: str
    kind: str
    namespaced: bool = True

    def path(self, namespace: str | None = None, name: str = "", sub: str = "") -> str:
        """The URL path of a list or an object, or of a subresource."""
        root = "/api" if "/" not in self.api_version else "/apis"
        parts = [root, self.api_version]
        if self.namespaced and namespace is not None:
            parts += ["namespaces", namespace]
        parts += [part for part in (self.plural, name, sub) if part]
        return "/".join(parts)


_OURS = f"{GROUP}/{VERSION}"


class ClusterKind(Enum):
    """Every kind that the operator reads or writes."""

    NETWORK = Resource(_OURS, "networks", "Network")
    POOL = Resource(_OURS, "minerpools", "MinerPool")
    DISK = Resource(_OURS, "minerdisks", "MinerDisk")
    STATEFUL_SET = Resource("apps/v1", "statefulsets", "StatefulSet")
    SERVICE = Resource("v1", "services", "Service")
    CLAIM = Resource("v1", "persistentvolumeclaims", "PersistentVolumeClaim")
    SECRET = Resource("v1", "secrets", "Secret")
    CONFIG_MAP = Resource("v1", "configmaps", "ConfigMap")
    POD = Resource("v1", "pods", "Pod")
    BUDGET = Resource("policy/v1", "poddisruptionbudgets", "PodDisruptionBudget")
    EVENT = Resource("v1", "events", "Event")
    LEASE = Resource("coordination.k8s.io/v1", "leases", "Lease")
    NODE = Resource("v1", "nodes", "Node", namespaced=False)
    NAMESPACE = Resource("v1", "namespaces", "Namespace", namespaced=False)
    STORAGE_CLASS = Resource(
        "storage.k8s.io/v1", "storageclasses", "StorageClass", namespaced=False
    )

    @property
    def resource(self) -> Resource:
        """Where it is."""
        return self.value


BY_KIND = {kind.value.kind: kind for kind in ClusterKind}
"""`Kind` by the `kind` of a manifest."""
