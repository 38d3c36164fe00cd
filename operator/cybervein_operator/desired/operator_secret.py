"""Secrets of the operator's own, with names that its Role can name."""

import base64
from collections.abc import Mapping

from cybervein_operator.desired import names
from cybervein_operator.desired.names import Object


def operator_secret(
    namespace: str, name: str, data: Mapping[str, bytes], *, immutable: bool = False
) -> Object:
    """A Secret of the operator. Owned by nobody: kept."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": {
                "app.kubernetes.io/name": "cybervein",
                names.COMPONENT: "operator",
                "app.kubernetes.io/managed-by": names.FIELD_MANAGER,
            },
        },
        "type": "Opaque",
        "data": encoded(data),
    } | ({"immutable": True} if immutable else {})


def encoded(data: Mapping[str, bytes]) -> dict[str, str]:
    """As a Secret's `data`."""
    return {key: base64.b64encode(value).decode() for key, value in sorted(data.items())}
