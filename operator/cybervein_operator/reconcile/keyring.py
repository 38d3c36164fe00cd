"""The one Secret of a namespace with the authorities and certificates of its networks.

One, because its name is then known when a Role is written: the operator reads and changes this
Secret and no other. A pod mounts its own network's certificate out of it, and nothing else.
"""

from base64 import b64decode
from collections.abc import Mapping

from cybervein_operator.api.kinds import ClusterKind
from cybervein_operator.cluster.client import ClusterClient, Object
from cybervein_operator.cluster.errors import ApiError
from cybervein_operator.desired import names
from cybervein_operator.desired.operator_secret import encoded, operator_secret


async def held(client: ClusterClient, namespace: str, network: str) -> dict[str, bytes]:
    """What is there for a network: `ca.crt`, `ca.key`, `tls.crt` and `tls.key`."""
    found = await client.get(ClusterKind.SECRET, namespace, names.TLS_SECRET)
    files = {each: content(found, names.tls_key(network, each)) for each in names.TLS_FILES}
    return {name: value for name, value in files.items() if value}


async def keep(
    client: ClusterClient, namespace: str, network: str, files: Mapping[str, bytes]
) -> None:
    """Put files of a network there; what is there of others stays."""
    data = {names.tls_key(network, name): value for name, value in files.items()}
    secret = operator_secret(namespace, names.TLS_SECRET, data)
    if await client.create(secret) is None:
        body = {"data": encoded(data)}
        await client.merge(ClusterKind.SECRET, namespace, names.TLS_SECRET, body)


async def early_authority(
    client: ClusterClient, namespace: str, network: str
) -> tuple[bytes, bytes]:
    """Certificate and key of 0.2.0's Secret NET-ca; empty without it, or without leave to read."""
    try:
        found = await client.get(ClusterKind.SECRET, namespace, names.early_authority(network))
    except ApiError as error:
        if not error.forbidden:
            raise
        found = None
    return content(found, "ca.crt"), content(found, "ca.key")


def content(secret: Object | None, key: str) -> bytes:
    """A value of a Secret; empty where there is none."""
    return b64decode(((secret or {}).get("data") or {}).get(key, ""))
