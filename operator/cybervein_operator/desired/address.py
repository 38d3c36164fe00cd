"""How others reach a miner: its URL and the ports that it takes."""

from typing import Final

from cybervein_operator.api import AddressType, MinerPool
from cybervein_operator.api.pool_parts import PoolAddress
from cybervein_operator.desired import names
from cybervein_operator.desired.facts import MinerServiceFacts

SHARDS_PORT: Final = 4100
HOST_IP: Final = "HOST_IP"
"""Variable with the address of the pod's node, which the kubelet fills in."""


def node_port(address: PoolAddress, ordinal: int) -> int | None:
    """The asked-for port of the nodes, or None where the cluster chooses or there is none."""
    if address.type is not AddressType.NODE_PORT or address.port is None:
        return None
    return address.port + ordinal


def host_port(address: PoolAddress, ordinal: int) -> int | None:
    """The port of the miner's own node, for type HostPort."""
    if address.type is not AddressType.HOST_PORT:
        return None
    return SHARDS_PORT if address.port is None else address.port + ordinal


def url(pool: MinerPool, ordinal: int, service: MinerServiceFacts) -> str | None:
    """The miner's public URL; None until its Service has what it takes."""
    address = pool.spec.address
    match address.type:
        case AddressType.NODE_PORT:
            port = node_port(address, ordinal) or service.node_port
            return _url(address.host or "", port) if port else None
        case AddressType.LOAD_BALANCER:
            return _url(service.ingress, SHARDS_PORT) if service.ingress else None
        case AddressType.HOST_PORT:
            port = host_port(address, ordinal) or SHARDS_PORT
            return _url(address.host or f"$({HOST_IP})", port)
        case AddressType.CLUSTER_IP:
            name = names.miner(pool.metadata.name, ordinal)
            return _url(f"{name}.{pool.metadata.namespace}.svc", SHARDS_PORT)


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
