"""Which kinds the API server has and where they are: its own discovery, read once and again."""

from dataclasses import dataclass, field
from typing import Any

from waiting import until

from cluster.rest import Endpoint, Object, Rest

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


@dataclass(frozen=True)
class Kind:
    """One kind of object: `version` is as objects name it, such as `apps/v1`."""

    version: str
    kind: str
    plural: str
    namespaced: bool
    names: frozenset[str]

    def path(self, namespace: str, name: str = "", subresource: str = "") -> str:
        """Of all objects of a namespace (all namespaces where it is empty), or of one of them."""
        root = "/apis/" if "/" in self.version else "/api/"
        space = ["namespaces", namespace] if self.namespaced and namespace else []
        parts = [self.version, *space, self.plural, name, subresource]
        return root + "/".join(part for part in parts if part)


@dataclass
class Kinds:
    """Every kind, by the names that kubectl takes: plural, singular, short, with a group or not."""

    endpoint: Endpoint
    _known: list[Kind] = field(default_factory=list)

    def named(self, name: str) -> Kind:
        """The kind of a name, as soon as the API server serves it."""
        return until(lambda: self._find(name.lower(), ""), f"the API server has a kind {name}")

    def of(self, document: Object) -> Kind:
        """The kind of an object, as soon as the API server serves it."""
        name, version = document["kind"].lower(), document["apiVersion"]
        return until(lambda: self._find(name, version), f"the API server has {version} {name}")

    def _find(self, name: str, version: str) -> Kind | None:
        found = self._look(name, version)
        if found is None:  # a CRD may have come since
            self._read()
            found = self._look(name, version)
        return found

    def _look(self, name: str, version: str) -> Kind | None:
        for each in self._known:
            if name in each.names and version in {"", each.version}:
                return each
        return None

    def _read(self) -> None:
        with Rest(self.endpoint) as rest:
            answers = [rest.ask("GET", path, accept=AGGREGATED) for path in ("/api", "/apis")]
        groups = [group for answer in answers for group in answer.document.get("items", [])]
        self._known = [kind for group in groups for kind in _kinds(group)]


def _kinds(group: Object) -> list[Kind]:
    """The kinds of a discovered group, of its preferred version first."""
    name = group["metadata"].get("name", "")
    return [
        _kind(name, version["version"], resource)
        for version in group["versions"]
        for resource in version.get("resources", [])
        if "responseKind" in resource
    ]


def _kind(group: str, version: str, resource: dict[str, Any]) -> Kind:
    kind, plural = resource["responseKind"]["kind"], resource["resource"]
    single = resource.get("singularResource") or kind.lower()
    names = {plural, single, kind.lower(), *resource.get("shortNames", [])}
    if group:
        names |= {f"{plural}.{group}", f"{single}.{group}"}
    whole = f"{group}/{version}" if group else version
    return Kind(whole, kind, plural, resource["scope"] == "Namespaced", frozenset(names))
