"""Fake nodes: `kwok` plays their kubelets, so pods on them become Ready without running."""

from dataclasses import dataclass, field
from functools import cached_property
from uuid import uuid4

from process import Process
from waiting import until

from cluster.api import Api
from cluster.control_plane import ControlPlane
from cluster.credentials import ADMIN, KWOK
from cluster.rest import Object
from cluster.tools import tool

FAKE = "kwok.x-k8s.io/node=fake"
POD_RANGE = "10.128.0.1/9"


@dataclass
class Kwok:
    """kwok over one control plane. Its nodes take any number of pods.

    A pod gets Ready once; a test may then write another status with
    `api.patch(…, subresource="status")`, which stays.
    """

    plane: ControlPlane
    process: Process = field(init=False)
    _names: list[str] = field(default_factory=list)
    # A node that has the name of an earlier one waits until that one's lease has run out.
    _prefix: str = field(default_factory=lambda: f"fake-{uuid4().hex[:4]}")

    def __post_init__(self) -> None:
        command = [
            str(tool("kwok")),
            f"--kubeconfig={self.plane.kubeconfig(KWOK)}",
            f"--manage-nodes-with-annotation-selector={FAKE}",
            f"--cidr={POD_RANGE}",
            "--node-ip=10.127.0.1",
            "--node-lease-duration-seconds=40",
        ]
        home = {"HOME": str(self.plane.directory)}  # it reads configuration of one's own there
        self.process = Process("kwok", command, self.plane.directory, home)

    @cached_property
    def api(self) -> Api:
        """The admin of the cluster."""
        return Api.at(self.plane.endpoint(ADMIN))

    def add_nodes(self, count: int, labels: dict[str, str] | None = None) -> list[str]:
        """Add fake nodes and wait until all are Ready; returns their names."""
        first = len(self._names)
        names = [f"{self._prefix}-{first + index}" for index in range(count)]
        self.api.apply(*[_node(name, labels or {}) for name in names])
        self._names += names
        until(
            lambda: set(names) <= self._ready(),
            f"{count} fake nodes are Ready",
            diagnose=self.process.tail,
        )
        return names

    def start(self) -> None:
        """Start kwok; it serves nodes as they come."""
        self.process.start()

    def stop(self) -> None:
        """Remove the nodes and end kwok."""
        try:
            for name in self._names:
                self.api.delete("node", name, wait=False)
        finally:
            self.process.stop()

    def _ready(self) -> set[str]:
        return {node["metadata"]["name"] for node in self.api.list("nodes") if is_ready(node)}


def is_ready(thing: Object) -> bool:
    """Whether the condition Ready of a node, pod or custom resource is True."""
    conditions = thing.get("status", {}).get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def _node(name: str, labels: dict[str, str]) -> Object:
    key, _, flag = FAKE.partition("=")
    standard = {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "type": "kwok"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "annotations": {key: flag}, "labels": {**standard, **labels}},
    }
