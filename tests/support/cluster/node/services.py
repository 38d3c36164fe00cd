"""What else runs on a node: kubelet and kube-proxy, with their configuration files."""

import json
from pathlib import Path

from process import Process

from cluster.control_plane import ControlPlane
from cluster.credentials import PROXY, User
from cluster.node.dns import ADDRESS, DOMAIN
from cluster.node.room import Room
from cluster.tools import tool


def kubelet(room: Room, plane: ControlPlane, name: str, user: User, runtime: str) -> Process:
    """kubelet of node `name`, over the container runtime at a socket."""
    (room.directory / "resolv.conf").write_text("")  # pods get the cluster's DNS and no other
    config = _write(room.directory / "kubelet.json", _kubelet(room, runtime))
    command: list[str | Path] = [
        tool("kubelet"),
        f"--config={config}",
        f"--kubeconfig={plane.kubeconfig(user)}",
        f"--hostname-override={name}",
        f"--node-ip={room.wire.inner_address}",
        f"--cert-dir={room.directory / 'kubelet-certificates'}",
        "--root-dir=/var/lib/kubelet",
    ]
    return Process("kubelet", room.inside(command), room.directory)


def proxy(room: Room, plane: ControlPlane, name: str) -> Process:
    """kube-proxy: Services by iptables rules of the node's namespace."""
    config = _write(
        room.directory / "proxy.json",
        {
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
            "kind": "KubeProxyConfiguration",
            "mode": "iptables",
            "clientConnection": {"kubeconfig": str(plane.kubeconfig(PROXY))},
            "clusterCIDR": room.wire.pods,
            "hostnameOverride": name,
            "bindAddress": room.wire.inner_address,
            "conntrack": {  # these settings belong to the machine, not to the namespace
                "maxPerCore": 0,
                "min": 0,
                "tcpEstablishedTimeout": "0s",
                "tcpCloseWaitTimeout": "0s",
            },
        },
    )
    command = room.inside([tool("kube-proxy"), f"--config={config}"])
    return Process("kube-proxy", command, room.directory)


def _write(path: Path, document: dict[str, object]) -> Path:
    path.write_text(json.dumps(document))
    return path


def _kubelet(room: Room, runtime: str) -> dict[str, object]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": room.wire.inner_address,
        "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
        "authorization": {"mode": "AlwaysAllow"},  # reachable from this machine alone
        "containerRuntimeEndpoint": f"unix://{runtime}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{room.name}",
        "cgroupsPerQOS": True,
        "enforceNodeAllocatable": [],
        "failSwapOn": False,
        "evictionHard": {"memory.available": "50Mi", "nodefs.available": "1%"},
        "imageGCHighThresholdPercent": 100,  # an image that was imported cannot be pulled again
        "clusterDNS": [ADDRESS],
        "clusterDomain": DOMAIN,
        "resolvConf": str(room.directory / "resolv.conf"),
        "volumePluginDir": str(room.directory / "volume-plugins"),
        "nodeStatusUpdateFrequency": "2s",
        "shutdownGracePeriod": "0s",
    }
