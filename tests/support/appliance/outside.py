"""Values of a release that is reached from outside, and of a neighbour who joins its network."""

from cluster.rest import Object

from appliance.values import FUNDS_VEINS

NETWORK = "home"
PORTS, BALANCED, HOSTS = "ports", "balanced", "hosts"  # pools, by how their miners are reached
SUPER_NODE_PORT, FIRST_NODE_PORT, FIRST_HOST_PORT = 30770, 30800, 4200
EPOCH_SECONDS = 8
BAYS = "local-hdd"
BAY_BYTES = 192 << 20


def founder(node: str, customer: str) -> Object:
    """A super node and a pool at ports of the node, another one at a load balancer's addresses."""
    super_node = {
        "storage": {"size": "1Gi"},
        "url": f"https://{node}:{SUPER_NODE_PORT}",
        "hosts": [node],
        "service": {"type": "NodePort", "nodePort": SUPER_NODE_PORT},
        "funds": [{"address": customer, "veins": FUNDS_VEINS}],
    }
    network = {"preset": "test", "epochSeconds": EPOCH_SECONDS, "superNode": super_node}
    ports = {"type": "NodePort", "host": node, "port": FIRST_NODE_PORT}
    bay = {"name": "bay01", "claimTemplate": {"size": str(BAY_BYTES), "storageClassName": BAYS}}
    return _release(
        network,
        {
            PORTS: _pool(3, ports) | {"disks": [bay]},
            BALANCED: _pool(2, {"type": "LoadBalancer"}),
        },
    )


def neighbour(network_file: str) -> Object:
    """Miners at their node's own ports, in a network that others run."""
    network = {"preset": "test", "join": {"configMap": network_file}}
    address = {"type": "HostPort", "port": FIRST_HOST_PORT}
    return _release(network, {HOSTS: _pool(2, address)}) | {"allowHostAccess": True}


def bays(count: int) -> list[str]:
    """Names of the volumes, one for each miner's disk."""
    return [f"bay-{number}" for number in range(count)]


def bare_disks() -> Object:
    """The storage class of docs/datacenter.md."""
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": BAYS},
        "provisioner": "kubernetes.io/no-provisioner",
        "volumeBindingMode": "WaitForFirstConsumer",
        "reclaimPolicy": "Retain",
    }


def _pool(replicas: int, address: Object) -> Object:
    return {
        "networkRef": {"name": NETWORK},
        "replicas": replicas,
        "failureDomain": "Miner",
        "state": {"size": "1Gi"},
        "disks": [{"name": "disk1", "claimTemplate": {"size": "1Gi"}}],
        "plots": {"fill": 500, "count": 4, "threads": 1},
        "address": address,
    }


def _release(network: Object, pools: dict[str, Object]) -> Object:
    return {
        "valuesVersion": 2,
        "image": {"pullPolicy": "Never"},
        "networks": {NETWORK: network},
        "pools": pools,
    }
