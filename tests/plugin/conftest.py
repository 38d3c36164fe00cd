"""A farm of miners in a real API server; the tests play its operator."""

from pathlib import Path

import pytest
from cluster.rest import Object
from cluster.running import Cluster
from farm import ROOT, Plugin, condition, disk_says, miner_disk, resource, say, stateful_set


def established(crd: Object) -> bool:
    """`kubectl wait` fails where a CRD has no conditions yet."""
    conditions = crd.get("status", {}).get("conditions") or []
    return any(each["type"] == "Established" and each["status"] == "True" for each in conditions)


@pytest.fixture(scope="session")
def crds(cluster: Cluster) -> None:
    cluster.kubectl.apply_file(ROOT / "manifests" / "crds")
    for name in ("networks", "minerpools", "minerdisks"):
        cluster.api.wait("crd", f"{name}.cybervein.io", established, "is established")


@pytest.fixture
def plugin(cluster: Cluster, namespace: str, crds: None, tmp_path: Path) -> Plugin:
    """The plug-in in a fresh namespace."""
    assert crds is None
    return Plugin(cluster.api.within(namespace), cluster.kubectl.kubeconfig, tmp_path)


@pytest.fixture
def farm(plugin: Plugin) -> Plugin:
    """A network, a pool of two miners with a disk each, and their StatefulSets."""
    network = {"preset": "test", "superNode": {"storage": {"size": "1Gi"}}}
    disk = {"name": "disk1", "claimTemplate": {"size": "1Gi"}}
    pool = {"networkRef": {"name": "home"}, "replicas": 2, "disks": [disk]}
    plugin.api.apply(
        resource("Network", "home", network),
        resource("MinerPool", "pool", pool),
        *(miner_disk(ordinal) for ordinal in range(2)),
        *(stateful_set(ordinal) for ordinal in range(2)),
    )
    say(plugin.api, "network", "home", conditions=[condition("True", "Running")], epoch=7)
    say(
        plugin.api,
        "minerpool",
        "pool",
        conditions=[condition("True", "AllReady")],
        replicas=2,
        readyReplicas=2,
    )
    for ordinal in range(2):
        disk_says(plugin.api, ordinal, phase="InUse", shards=5, diskId=f"disk-{ordinal}")
    return plugin
