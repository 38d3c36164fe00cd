"""Objects of one miner `POOL-N`."""

import base64
from typing import Final

from cybervein_operator.api import API_VERSION, AddressType, MinerPool
from cybervein_operator.desired import miner_pod, names, template, wishes
from cybervein_operator.desired.address import SHARDS_PORT, node_port, url
from cybervein_operator.desired.facts import MinerFacts, Volume, volume_of
from cybervein_operator.desired.metadata import kept, owned
from cybervein_operator.desired.names import Object
from cybervein_operator.desired.pod import claim, given

__all__ = ["claims", "disk_at", "disks", "identity", "service", "statefulset", "url"]

_SERVICE_TYPES: Final = {
    AddressType.NODE_PORT: "NodePort",
    AddressType.LOAD_BALANCER: "LoadBalancer",
}


def statefulset(pool: MinerPool, ordinal: int, facts: MinerFacts) -> Object:
    """StatefulSet of size one; its template hash changes exactly when the pod must be replaced."""
    labels = names.miner_labels(pool, ordinal)
    metadata = owned(
        pool, names.miner(pool.metadata.name, ordinal), labels | names.version_label(facts.version)
    )
    wish = pool.spec.pod_template
    pod = wishes.pod(miner_pod.spec(pool, ordinal, facts), wish, names.selector(pool))
    inner, selector = wishes.metadata(labels, wish), names.miner_selector(pool, ordinal)
    return template.statefulset(metadata, inner, selector, pod, restart=facts.restart)


def service(pool: MinerPool, ordinal: int) -> Object:
    """How the operator, clients and super nodes reach the miner.

    Also while it is not ready: there is no other pod to choose, and a miner that starts or drains
    answers about itself and serves what it has.
    """
    address = pool.spec.address
    labels = names.miner_labels(pool, ordinal)
    port = {"name": "shards", "port": SHARDS_PORT, "targetPort": "shards", "protocol": "TCP"}
    manifest: Object = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": owned(pool, names.miner(pool.metadata.name, ordinal), labels),
        "spec": {
            "type": _SERVICE_TYPES.get(address.type, "ClusterIP"),
            "publishNotReadyAddresses": True,
            "selector": names.miner_selector(pool, ordinal),
            "ports": [port | given(nodePort=node_port(address, ordinal))],
        },
    }
    return wishes.service(manifest, address.service)


def claims(pool: MinerPool, ordinal: int) -> list[Object]:
    """The claims that the operator makes: the journal's and each templated disk's. Kept."""
    labels = names.miner_labels(pool, ordinal)
    name = pool.metadata.name
    wanted = [(names.state_claim(name, ordinal), pool.spec.state)] + [
        (names.disk(name, ordinal, disk.name), disk.claim_template)
        for disk in pool.spec.disks
        if disk.claim_template is not None
    ]
    return [
        claim(kept(pool, each, labels), wish.size, wish.storage_class_name) for each, wish in wanted
    ]


def identity(pool: MinerPool, ordinal: int, document: bytes) -> Object:
    """Secret with the miner's keys, to be created and never touched again. Kept."""
    name = names.identity(pool.metadata.name, ordinal)
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": kept(pool, name, names.miner_labels(pool, ordinal)),
        "type": "Opaque",
        "immutable": True,
        "data": {names.IDENTITY_KEY: base64.b64encode(document).decode()},
    }


def disks(pool: MinerPool, ordinal: int) -> list[Object]:
    """One MinerDisk for each disk; `drain` and `wipe` stay a person's."""
    return [_disk(pool, ordinal, index) for index in range(len(pool.spec.disks))]


def _disk(pool: MinerPool, ordinal: int, index: int) -> Object:
    disk = pool.spec.disks[index]
    return disk_at(pool, ordinal, volume_of(pool.metadata.name, ordinal, disk))


def disk_at(pool: MinerPool, ordinal: int, volume: Volume) -> Object:
    """The MinerDisk of a volume, whether or not the spec still has it."""
    name = pool.metadata.name
    return {
        "apiVersion": API_VERSION,
        "kind": "MinerDisk",
        "metadata": owned(
            pool, names.disk(name, ordinal, volume.name), names.miner_labels(pool, ordinal)
        ),
        "spec": {"pool": name, "miner": names.miner(name, ordinal), "disk": volume.name}
        | given(claim=volume.claim, hostPath=volume.host_path),
    }
