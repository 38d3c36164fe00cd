"""The hash of a pod template: tells whether a miner runs what the spec asks for now."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from cybervein_operator.desired.names import RESTART, TEMPLATE, Object


def template_hash(template: Mapping[str, Any]) -> str:
    """16 hex digits over the template's canonical JSON."""
    text = json.dumps(template, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def of(statefulset: Mapping[str, Any]) -> str:
    """The hash that a StatefulSet, desired or observed, was applied with; "" if it says none."""
    annotations = statefulset.get("metadata", {}).get("annotations") or {}
    return str(annotations.get(TEMPLATE, ""))


def statefulset(
    metadata: Object, inner: Object, selector: Object, pod: Object, *, restart: str = ""
) -> Object:
    """A StatefulSet of size one around a pod (`inner` metadata, spec), with its template's hash.

    `restart` is in the pod too, so that another one replaces it.
    """
    asked = {RESTART: restart} if restart else {}
    notes = inner.get("annotations", {}) | asked
    template = {"metadata": inner | ({"annotations": notes} if notes else {}), "spec": pod}
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": metadata | {"annotations": {TEMPLATE: template_hash(template)} | asked},
        "spec": {
            "replicas": 1,
            # Parallel: a pod that never got ready is replaced by an update, too.
            "podManagementPolicy": "Parallel",
            "revisionHistoryLimit": 2,
            "serviceName": metadata["name"],
            "selector": {"matchLabels": selector},
            "template": template,
            "updateStrategy": {"type": "RollingUpdate"},
        },
    }
