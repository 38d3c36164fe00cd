"""The storage that k3s and kind bring: Rancher's local-path provisioner, as its own program.

It runs beside the control plane; its helper pods, which make and remove folders, run on the node.
Class and scripts are as k3s sets them up: the default class, bound when the first pod comes, and
folders of mode 0777 that nothing limits in size.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path

from process import Process

from cluster.api import Api
from cluster.control_plane import ControlPlane
from cluster.credentials import PROVISIONER
from cluster.node.containerd import Containerd
from cluster.node.oci import write_image
from cluster.node.room import Room
from cluster.rest import Object
from cluster.tools import system_tool, tool

CLASS = "local-path"
SPACE = "local-path-storage"
CONFIG, ACCOUNT = "local-path-config", "local-path-provisioner-service-account"  # its own defaults
HELPER_IMAGE = "localhost/busybox:1"
SETUP = """#!/bin/sh
set -eu
mkdir -m 0777 -p "${VOL_DIR}"
chmod 700 "${VOL_DIR}/.."
"""
TEARDOWN = """#!/bin/sh
set -eu
rm -rf "${VOL_DIR}"
"""


@dataclass
class LocalPath:
    """Off until `start`. `folder` is where the volumes are."""

    room: Room
    plane: ControlPlane
    api: Api
    containerd: Containerd
    _process: Process = field(init=False)

    def __post_init__(self) -> None:
        files = self.room.directory / "local-path"
        files.mkdir(exist_ok=True)
        (files / "config.json").write_text(json.dumps(self._config()))
        (files / "helper.yaml").write_text(json.dumps(_helper_pod()))
        command: list[str | Path] = [
            tool("local-path-provisioner"),
            "start",
            f"--kubeconfig={self.plane.kubeconfig(PROVISIONER)}",
            f"--config={files / 'config.json'}",
            f"--helper-pod-file={files / 'helper.yaml'}",
            f"--helper-image={HELPER_IMAGE}",
            f"--namespace={SPACE}",
        ]
        self._process = Process("local-path-provisioner", command, self.room.directory)

    @property
    def folder(self) -> Path:
        """Where the volumes are."""
        return self.room.directory / "local-path" / "storage"

    def start(self) -> None:
        """Make its class the default one, and serve it."""
        files = self.room.directory / "local-path"
        links = ("sh", "mkdir", "chmod", "rm")
        program = Path(system_tool("busybox"))
        image = write_image(files / "busybox.tar", program, links=links)
        self.containerd.load(image, HELPER_IMAGE)
        self.api.apply(_object("v1", "Namespace", SPACE))
        self.api.within(SPACE).apply(
            _object("v1", "ServiceAccount", ACCOUNT),
            _object("v1", "ConfigMap", CONFIG, data={"setup": SETUP, "teardown": TEARDOWN}),
        )
        self.api.apply(_storage_class())
        self._process.start()

    def stop(self) -> None:
        """End it, and take its class away; what is bound stays."""
        if self._process.alive:
            self._process.stop()
            self.api.delete("storageclass", CLASS)

    def tail(self) -> str:
        """The last lines it printed."""
        return self._process.tail()

    def _config(self) -> Object:
        here = {"node": "DEFAULT_PATH_FOR_NON_LISTED_NODES", "paths": [str(self.folder)]}
        return {"nodePathMap": [here]}


def _object(version: str, kind: str, name: str, **rest: object) -> Object:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}, **rest}


def _storage_class() -> Object:
    # Of several default classes the newest is taken.
    notes = {"storageclass.kubernetes.io/is-default-class": "true", "defaultVolumeType": "local"}
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": CLASS, "annotations": notes},
        "provisioner": "rancher.io/local-path",
        "volumeBindingMode": "WaitForFirstConsumer",
        "reclaimPolicy": "Delete",
    }


def _helper_pod() -> Object:
    main = {"name": "helper-pod", "image": HELPER_IMAGE, "imagePullPolicy": "IfNotPresent"}
    return _object("v1", "Pod", "helper-pod", spec={"containers": [main]})
