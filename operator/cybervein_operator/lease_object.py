"""The Lease of a namespace at the API server: read, made, and changed only as it was read."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from cybervein_operator.api.kinds import ClusterKind
from cybervein_operator.cluster.client import ClusterClient, Object, decoded
from cybervein_operator.cluster.errors import CONFLICT, NOT_FOUND, ApiError
from cybervein_operator.desired import names


async def read(client: ClusterClient, namespace: str) -> Object | None:
    """The Lease, or None."""
    return await client.get(ClusterKind.LEASE, namespace, names.LEASE)


async def made(client: ClusterClient, namespace: str, spec: Mapping[str, Any]) -> Object | None:
    """A new Lease, or None where there is one."""
    labels = {
        "app.kubernetes.io/name": "cybervein",
        names.COMPONENT: "operator",
        "app.kubernetes.io/managed-by": names.FIELD_MANAGER,
    }
    return await client.create(
        {
            "apiVersion": ClusterKind.LEASE.resource.api_version,
            "kind": ClusterKind.LEASE.resource.kind,
            "metadata": {"name": names.LEASE, "namespace": namespace, "labels": labels},
            "spec": spec,
        }
    )


async def changed(
    client: ClusterClient, namespace: str, version: str, spec: Mapping[str, Any]
) -> Object | None:
    """The Lease with that spec, or None where it is no longer of that version, or gone."""
    body = {"metadata": {"resourceVersion": version}, "spec": spec}
    try:
        return decoded(await client.merge(ClusterKind.LEASE, namespace, names.LEASE, body))
    except ApiError as error:
        if error.http_status in {CONFLICT, NOT_FOUND}:
            return None
        raise


def micro_time() -> str:
    """Now, as a Lease has it; others only see whether it has changed."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
