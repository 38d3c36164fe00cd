"""The three CustomResourceDefinitions as JSON-like values."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from cybervein_operator.api import GROUP, VERSION, MinerDisk, MinerPool, Network
from cybervein_operator.api.disk import DISK_OBJECT_NAME_MAX
from cybervein_operator.api.fields import DNS_LABEL, POOL_NAME_MAX
from cybervein_operator.api.meta import Part
from cybervein_operator.crd import columns
from cybervein_operator.crd.columns import Column
from cybervein_operator.crd.schema import Schema, schema_of

_SCALE: Final = {
    "specReplicasPath": ".spec.replicas",
    "statusReplicasPath": ".status.replicas",
    "labelSelectorPath": ".status.selector",
}


SCHEMA: Final = 3
"""Greater with each release whose definitions differ from the last one's (ADR 86): a release leaves
alone what a newer one has put there. Those of 0.1 and 0.2 carry no number."""

SCHEMA_MARK: Final = "cybervein.io/schema"


@dataclass(frozen=True, slots=True)
class CustomKind:
    """What a CustomResourceDefinition says beside the schema."""

    model: type[Part]
    plural: str
    short: str
    name_max: int
    columns: tuple[Column, ...]
    scalable: bool = False


KINDS: Final = (
    CustomKind(Network, "networks", "cvnet", POOL_NAME_MAX, columns.NETWORK),
    CustomKind(MinerPool, "minerpools", "cvpool", POOL_NAME_MAX, columns.POOL, scalable=True),
    CustomKind(MinerDisk, "minerdisks", "cvdisk", DISK_OBJECT_NAME_MAX, columns.DISK),
)


def definitions() -> list[dict[str, Any]]:
    """One CustomResourceDefinition per kind."""
    return [definition(kind) for kind in KINDS]


def definition(kind: CustomKind) -> dict[str, Any]:
    """A CustomResourceDefinition. Helm keeps it when the chart goes: with it go all resources."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{kind.plural}.{GROUP}",
            "annotations": {"helm.sh/resource-policy": "keep", SCHEMA_MARK: str(SCHEMA)},
            "labels": {"app.kubernetes.io/name": "cybervein"},
        },
        "spec": {
            "group": GROUP,
            "names": _names(kind),
            "scope": "Namespaced",
            "versions": [_version(kind)],
        },
    }


def schema_number(document: Mapping[str, Any]) -> int:
    """Which SCHEMA a definition is of; 0 where none is said, as in those of 0.2.0."""
    text = (document["metadata"].get("annotations") or {}).get(SCHEMA_MARK, "")
    return int(text) if re.fullmatch("[0-9]{1,9}", text) else 0


def _names(kind: CustomKind) -> dict[str, Any]:
    name = kind.model.__name__
    return {
        "kind": name,
        "listKind": f"{name}List",
        "plural": kind.plural,
        "singular": name.lower(),
        "shortNames": [kind.short],
        "categories": ["cybervein"],
    }


def _version(kind: CustomKind) -> dict[str, Any]:
    return {
        "name": VERSION,
        "served": True,
        "storage": True,
        "subresources": {"status": {}} | ({"scale": _SCALE} if kind.scalable else {}),
        "additionalPrinterColumns": [column.schema() for column in kind.columns],
        "schema": {"openAPIV3Schema": _root(kind)},
    }


def _root(kind: CustomKind) -> Schema:
    """The model's schema, with the API server's own fields; of `metadata` only the name is ours."""
    schema = schema_of(kind.model)
    name = {"type": "string", "maxLength": kind.name_max, "pattern": DNS_LABEL}
    own = {
        "apiVersion": {"type": "string", "description": "Version of this kind's schema."},
        "kind": {"type": "string", "description": "The kind of object."},
        "metadata": {"type": "object", "properties": {"name": name}},
    }
    required = [each for each in schema["required"] if each != "metadata"]
    return schema | {"properties": schema["properties"] | own, "required": required}
