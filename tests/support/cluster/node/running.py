"""A control plane and a node that belong together, started and stopped as one."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from process import Process
from waiting import until

from cluster.api import Api
from cluster.control_plane import ControlPlane, Settings, prepare
from cluster.credentials import ADMIN, USERS, User, kubelet_user
from cluster.kubectl import Kubectl
from cluster.kwok import is_ready
from cluster.node.balancer import Balancer
from cluster.node.containerd import Containerd
from cluster.node.disk import Disk
from cluster.node.dns import start_dns
from cluster.node.local_path import LocalPath
from cluster.node.network import free_wire
from cluster.node.policy import PolicyEngine
from cluster.node.room import Room, opened
from cluster.node.services import kubelet, proxy
from cluster.provisioner import Provisioner, local_source
from cluster.running import Cluster

NAME = "node-1"
API_PORT = 6443  # nobody else listens at the wire's address


@dataclass
class Node:
    """A Ready node and its cluster. The package's docstring lists what tests do with it."""

    cluster: Cluster
    room: Room
    containerd: Containerd
    kubelet: Process
    proxy: Process
    volumes: Provisioner
    policies: PolicyEngine
    balancer: Balancer
    local_path: LocalPath
    name: str = NAME

    @property
    def address(self) -> str:
        """The node's address; NodePorts and host ports are there."""
        return self.room.wire.inner_address

    @property
    def storage_class(self) -> str:
        """The default StorageClass."""
        return self.volumes.storage_class

    def load(self, archive: Path, name: str) -> None:
        """Make the image of an OCI archive known to pods (`imagePullPolicy: Never`) as `name`."""
        self.containerd.load(archive, name)

    def run(self, *command: str | Path) -> str:
        """Run a program in the node and return its stdout."""
        return self.room.run(*command)

    def local_volume(self, name: str, size: str, storage_class: str) -> Path:
        """A static `local` volume on a new folder, which is returned."""
        folder = self.volumes.root / name
        folder.mkdir(mode=0o777, parents=True)
        self._announce(name, size, storage_class, folder)
        return folder

    def disk(self, name: str, size_bytes: int, storage_class: str) -> Disk:
        """A static `local` volume on a filesystem of its own, which a test can let die."""
        disk = Disk(self.room, self.room.directory / "disks" / name)
        disk.attach(size_bytes)
        self._announce(name, str(size_bytes), storage_class, disk.folder)
        return disk

    def _announce(self, name: str, size: str, storage_class: str, folder: Path) -> None:
        spec = {
            "capacity": {"storage": size},
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": storage_class,
            "persistentVolumeReclaimPolicy": "Retain",
            **local_source(folder, self.name),
        }
        volume = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}}
        self.cluster.api.apply({**volume, "spec": spec})

    def kill(self, namespace: str, pod: str, container: str) -> None:
        """kill -9 the first process of a running container."""
        found = self.cluster.api.within(namespace).get("pod", pod)
        assert found is not None, f"there is no pod {namespace}/{pod}"
        (status,) = [
            each for each in found["status"]["containerStatuses"] if each["name"] == container
        ]
        identity = status["containerID"].removeprefix("containerd://")
        self.containerd.ctr("tasks", "kill", "--signal", "SIGKILL", identity)


@contextmanager
def node_cluster(directory: Path) -> Iterator[Node]:
    """A cluster with one node, Ready; nothing of it is left afterwards."""
    if os.geteuid() != 0:
        raise PermissionError("a node needs root for its namespaces and mounts; run as root")
    wire, user = free_wire(), kubelet_user(NAME)
    settings = Settings(
        address=wire.outer_address, port=API_PORT, reachable=True, users=(*USERS, user)
    )
    directory.mkdir(parents=True, exist_ok=True)
    room = Room(directory, wire)
    with opened(room):
        plane = prepare(directory, settings)
        try:
            plane.start()
            with _started(room, plane, user) as node:
                yield node
        finally:
            plane.stop()


@contextmanager
def _started(room: Room, plane: ControlPlane, user: User) -> Iterator[Node]:
    """The node's own programs, and its volumes, while the context lasts."""
    containerd, api = Containerd(room), Api.at(plane.endpoint(ADMIN))
    node = Node(
        cluster=Cluster(api, Kubectl(plane.kubeconfig(ADMIN)), room.directory, plane),
        room=room,
        containerd=containerd,
        kubelet=kubelet(room, plane, NAME, user, containerd.socket),
        proxy=proxy(room, plane, NAME),
        volumes=Provisioner(plane, room.directory / "volumes", NAME),
        policies=PolicyEngine(room, plane),
        balancer=Balancer(room.wire, plane),
        local_path=LocalPath(room, plane, api, containerd),
    )
    try:
        containerd.start()
        node.volumes.start()
        for process in (node.kubelet, node.proxy):
            process.start()
        until(
            lambda: is_ready(node.cluster.api.get("node", NAME) or {}),
            f"{NAME} is Ready",
            diagnose=node.kubelet.tail,
        )
        start_dns(node.cluster.api, containerd)
        yield node
    finally:
        node.volumes.stop()
        node.policies.stop()
        node.balancer.stop()
        node.local_path.stop()
        for process in (node.kubelet, node.proxy, containerd.process):
            process.stop()
