"""containerd with a root, a state and a socket of its own, and its bridge network."""

import json
import tarfile
from pathlib import Path

from process import Process
from waiting import until

from cluster.node.network import Wire
from cluster.node.oci import write_image
from cluster.node.room import Room
from cluster.tools import system_tool, tool

SANDBOX_IMAGE = "localhost/pause:1"
IMPORTED = "localhost/imported"  # with a host: kubelet looks for names in their full form
PLUGINS = "/usr/lib/cni"


class Containerd:
    """The container runtime of a node."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.directory = room.directory / "containerd"
        self.directory.mkdir()
        self.socket = "/run/cybervein-containerd.sock"  # short, in the node's own /run
        config, network = self.directory / "config.toml", self.directory / "cni"
        network.mkdir()
        config.write_text(_config(self.directory, self.socket, network))
        (network / "10-test.conflist").write_text(json.dumps(_network(room.wire)))
        command = room.inside([system_tool("containerd"), "--config", config])
        self.process = Process("containerd", command, room.directory)

    def start(self) -> None:
        """Start it and wait until it answers and has the sandbox image."""
        self.process.start()
        until(self._answers, "containerd answers", diagnose=self.process.tail)
        archive = write_image(self.directory / "pause.tar", tool("pause"))
        self.load(archive, SANDBOX_IMAGE)

    def ctr(self, *arguments: str | Path) -> str:
        """Run `ctr` in the namespace that kubelet's containers are in."""
        return self.room.run("ctr", "--address", self.socket, "--namespace", "k8s.io", *arguments)

    def load(self, archive: Path, name: str) -> None:
        """Import the one image of an OCI archive under a full `name`, such as localhost/x:1."""
        # By digest: what a tag inside the archive becomes differs between the tools that write it.
        digest = _only_manifest(archive)
        self.ctr("images", "import", "--digests", "--base-name", IMPORTED, archive)
        self.ctr("images", "tag", "--force", f"{IMPORTED}@{digest}", name)

    def _answers(self) -> bool:
        try:
            return bool(self.ctr("version"))
        except RuntimeError:
            return False


def _only_manifest(archive: Path) -> str:
    with tarfile.open(archive) as tar:
        index = tar.extractfile("index.json")
        assert index is not None
        (manifest,) = json.load(index)["manifests"]
    return str(manifest["digest"])


def _config(directory: Path, socket: str, network: Path) -> str:
    # restrict_oom_score_adj: where root lacks CAP_SYS_RESOURCE no sandbox would start otherwise.
    return f"""
version = 2
root = "{directory}/root"
state = "/run/containerd"
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.btrfs"]
[grpc]
address = "{socket}"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{SANDBOX_IMAGE}"
restrict_oom_score_adj = true
tolerate_missing_hugetlb_controller = true
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "{PLUGINS}"
conf_dir = "{network}"
[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "overlayfs"
default_runtime_name = "runc"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
SystemdCgroup = false
"""


def _network(wire: Wire) -> dict[str, object]:
    bridge = {
        "type": "bridge",
        "bridge": "cni0",
        "isGateway": True,
        "ipMasq": True,
        "hairpinMode": True,
        "ipam": {
            "type": "host-local",
            "ranges": [[{"subnet": wire.pods}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        },
    }
    ports = {"type": "portmap", "capabilities": {"portMappings": True}}
    return {"cniVersion": "0.4.0", "name": "test", "plugins": [bridge, ports]}
