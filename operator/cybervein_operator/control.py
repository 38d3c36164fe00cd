"""The operator's control key: one Secret, made once, whose address the miners are started with."""

import base64

import structlog
from cybervein_protocol.errors import StorageError
from cybervein_protocol.signing import KeyPair, address
from cybervein_runtime.identity import identity_json, new_identity, parse_identity

from cybervein_operator.api.kinds import ClusterKind
from cybervein_operator.cluster.client import ClusterClient
from cybervein_operator.desired import names
from cybervein_operator.desired.operator_secret import operator_secret

_log = structlog.get_logger()


def identity_document() -> tuple[bytes, str]:
    """Fresh keys as `identity.json`, and their address. In memory until the Secret has them."""
    identity = new_identity()
    return identity_json(identity), address(identity.keys.public)


async def control_key(client: ClusterClient, namespace: str) -> KeyPair:
    """The key in the Secret; the first operator makes it."""
    for _ in range(2):
        found = await client.get(ClusterKind.SECRET, namespace, names.CONTROL_SECRET)
        if found is not None:
            raw = base64.b64decode(found.get("data", {}).get(names.IDENTITY_KEY, ""))
            return parse_identity(raw, f"Secret {namespace}/{names.CONTROL_SECRET}").keys
        document, own = identity_document()
        made = operator_secret(
            namespace, names.CONTROL_SECRET, {names.IDENTITY_KEY: document}, immutable=True
        )
        if await client.create(made) is not None:
            _log.info("made the operator's control key", secret=names.CONTROL_SECRET, address=own)
    raise StorageError(
        f"Secret {namespace}/{names.CONTROL_SECRET} can be neither read nor created; check the Role"
    )
