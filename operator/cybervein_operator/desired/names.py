"""Names and labels of everything that the operator makes."""

import re
from collections.abc import Mapping
from typing import Any, Final

from cybervein_operator.api import GROUP, MinerPool, Network

FIELD_MANAGER: Final = "cybervein-operator"
CONTROL_SECRET: Final = "cybervein-operator-control"  # noqa: S105 -- a name
LEASE: Final = "cybervein-operator"
"""In each namespace: its holder acts there."""
TLS_SECRET: Final = "cybervein-operator-tls"  # noqa: S105 -- a name
TLS_FILES: Final = ("ca.crt", "ca.key", "tls.crt", "tls.key")
IDENTITY_KEY: Final = "identity.json"
NETWORK_KEY: Final = "network.json"
AUTHORITY_KEY: Final = "ca.crt"
TEMPLATE: Final = f"{GROUP}/template"
PAUSED: Final = f"{GROUP}/paused"
RESTART: Final = f"{GROUP}/restart"
RESTART_MINER: Final = f"restart.{GROUP}/"
DRAIN_NODE: Final = f"{GROUP}/drain"
NETWORK: Final = f"{GROUP}/network"
POOL: Final = f"{GROUP}/pool"
MINER: Final = f"{GROUP}/miner"
ORDINAL: Final = f"{GROUP}/ordinal"
COMPONENT: Final = "app.kubernetes.io/component"

Labels = dict[str, str]
_MINER_NAME: Final = re.compile(r"^(?P<pool>[a-z][-a-z0-9]*)-(?P<ordinal>0|[1-9][0-9]{0,3})$")


def miner(pool: str, ordinal: int) -> str:
    """`POOL-N`: StatefulSet, Service and the name that people use."""
    return f"{pool}-{ordinal}"


def ordinal_of(pool: str, name: str) -> int | None:
    """N of `POOL-N`, or None if `name` is no miner of this pool."""
    match = _MINER_NAME.fullmatch(name)
    return int(match["ordinal"]) if match and match["pool"] == pool else None


def pod(pool: str, ordinal: int) -> str:
    """The one pod of a miner's StatefulSet."""
    return pod_of(miner(pool, ordinal))


def pod_of(statefulset: str) -> str:
    """The one pod of a StatefulSet of size one."""
    return f"{statefulset}-0"


def identity(pool: str, ordinal: int) -> str:
    """Secret with a miner's keys."""
    return f"{miner(pool, ordinal)}-identity"


def state_claim(pool: str, ordinal: int) -> str:
    """Claim of a miner's journal."""
    return f"{miner(pool, ordinal)}-state"


def limits(pool: str) -> str:
    """ConfigMap with what each disk of a pool may hold."""
    return f"{pool}-limits"


def disk(pool: str, ordinal: int, name: str) -> str:
    """`POOL-N-DISK`: the MinerDisk, and the claim where the operator makes it."""
    return f"{miner(pool, ordinal)}-{name}"


def claims(pool: MinerPool, ordinal: int) -> list[str]:
    """Claims that the operator makes for a miner: the journal's, then those of its disks."""
    name = pool.metadata.name
    templated = (each.name for each in pool.spec.disks if each.claim_template is not None)
    return [state_claim(name, ordinal), *(disk(name, ordinal, each) for each in templated)]


def existing_claims(pool: MinerPool, ordinal: int) -> list[str]:
    """Claims of people's own that are disks of a miner."""
    named = [each.existing_claims for each in pool.spec.disks if each.existing_claims is not None]
    return [each[ordinal] for each in named if ordinal < len(each)]


def users_of(pool: MinerPool, claim: str) -> list[int]:
    """Ordinals of the miners whose disk that claim of a person is."""
    named = [each.existing_claims for each in pool.spec.disks if each.existing_claims is not None]
    return [each.index(claim) for each in named if claim in each]


def super_node(network: str) -> str:
    """StatefulSet, Service and container of a network's super node."""
    return f"{network}-supernode"


def super_node_claim(network: str) -> str:
    """Claim of a super node's data."""
    return f"{network}-supernode-data"


def super_node_identity(network: str) -> str:
    """Secret with a super node's keys."""
    return f"{network}-supernode-identity"


def backup_claim(network: str) -> str:
    """Claim of a super node's snapshots, where the operator makes it."""
    return f"{network}-supernode-backup"


def tls_key(network: str, file: str) -> str:
    """Where a network's `ca.crt`, `ca.key`, `tls.crt` or `tls.key` lies in TLS_SECRET."""
    return f"{network}.{file}"


def early_authority(network: str) -> str:
    """Secret that had the network's authority until 0.2.0."""
    return f"{network}-ca"


def network_file(network: str) -> str:
    """ConfigMap with network.json, the CA in it."""
    return f"{network}-network"


def _common(component: str, instance: str) -> Labels:
    return {
        "app.kubernetes.io/name": "cybervein",
        COMPONENT: component,
        "app.kubernetes.io/instance": instance,
        "app.kubernetes.io/managed-by": FIELD_MANAGER,
    }


def pool_labels(pool: MinerPool) -> Labels:
    """Of what belongs to the whole pool."""
    name = pool.metadata.name
    return _common("miner", name) | {NETWORK: pool.spec.network_ref.name, POOL: name}


def miner_labels(pool: MinerPool, ordinal: int) -> Labels:
    """Of what belongs to one miner."""
    mine = {MINER: miner(pool.metadata.name, ordinal), ORDINAL: str(ordinal)}
    return pool_labels(pool) | mine


def super_node_labels(network: Network) -> Labels:
    """Of what belongs to a super node."""
    name = network.metadata.name
    return _common("supernode", name) | {NETWORK: name}


def restart_of(annotations: Mapping[str, str], miner: str) -> str:
    """What was asked for last about a miner's restart, "" if nothing ever was.

    Annotations of the pool, `cybervein.io/restart` for all of its miners and
    `restart.cybervein.io/POOL-N` for one: another value of either is another restart.
    """
    asked = (annotations.get(RESTART), annotations.get(RESTART_MINER + miner))
    return " ".join(each for each in asked if each)


def selector(pool: MinerPool) -> Labels:
    """Picks the pods of all miners of the pool."""
    return {COMPONENT: "miner", POOL: pool.metadata.name}


def selector_text(pool: MinerPool) -> str:
    """The same as text, for `status.selector` of the scale subresource."""
    return ",".join(f"{key}={value}" for key, value in sorted(selector(pool).items()))


def miner_selector(pool: MinerPool, ordinal: int) -> Labels:
    """Picks the pod of one miner."""
    return {COMPONENT: "miner", MINER: miner(pool.metadata.name, ordinal)}


def super_node_selector(network: Network) -> Labels:
    """Picks the pod of a network's super node."""
    return {COMPONENT: "supernode", NETWORK: network.metadata.name}


def version_label(version: str) -> Labels:
    """`app.kubernetes.io/version`. Not in templates: each upgrade would restart every pod."""
    return {"app.kubernetes.io/version": version} if version else {}


Object = dict[str, Any]
"""A Kubernetes object as JSON-like values."""
