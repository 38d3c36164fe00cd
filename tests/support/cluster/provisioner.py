"""A StorageClass whose claims are bound: each gets a folder of this machine as its volume.

It does what a CSI driver's provisioner does: it watches claims that wait for it, makes a volume for
each, and removes volume and folder when the claim is deleted. The controller manager does the
binding itself.
"""

import shutil
import threading
from dataclasses import dataclass, field
from pathlib import Path

from cluster.control_plane import ControlPlane
from cluster.credentials import PROVISIONER
from cluster.rest import LOST, Object, Rest

CLASS = "cybervein-test"
NAME = "cybervein.io/test-folders"
CLAIMS = "/api/v1/persistentvolumeclaims"
VOLUMES = "/api/v1/persistentvolumes"
WATCH_SECONDS = 5
RETRY_SECONDS = 0.5


@dataclass
class Provisioner:
    """Serves claims of class `cybervein-test`, the default one, below `root`.

    With `node` volumes are of kind `local` there, so that kubelet gives them the pod's group;
    without one they are host paths that nobody mounts.
    """

    plane: ControlPlane
    root: Path
    node: str | None = None
    storage_class: str = CLASS
    _end: threading.Event = field(default_factory=threading.Event)
    _made: set[str] = field(default_factory=set)

    def start(self) -> None:
        """Make the class and serve its claims in the background."""
        with Rest(self.plane.endpoint(PROVISIONER)) as rest:
            rest.call("POST", "/apis/storage.k8s.io/v1/storageclasses", _storage_class())
        threading.Thread(target=self._serve, name="provisioner", daemon=True).start()

    def stop(self) -> None:
        """Stop serving, with the next event or the end of the API server; what is bound stays."""
        self._end.set()

    def folder(self, claim: Object) -> Path:
        """Where the bytes of a claim lie."""
        about = claim["metadata"]
        return self.root / f"{about['namespace']}-{about['name']}-{about['uid'][:8]}"

    def _serve(self) -> None:
        while not self._end.is_set():
            try:
                self._follow()
            except LOST:  # an API server that goes away comes back
                self._end.wait(RETRY_SECONDS)

    def _follow(self) -> None:
        with (
            Rest(self.plane.endpoint(PROVISIONER)) as asking,
            Rest(self.plane.endpoint(PROVISIONER)) as watching,
        ):
            listing = asking.call("GET", CLAIMS)
            for claim in listing["items"]:
                self._provide(asking, claim)
            version = listing["metadata"]["resourceVersion"]
            while not self._end.is_set():
                for event in watching.watch(CLAIMS, version, WATCH_SECONDS):
                    if event["type"] == "ERROR":  # that version is gone: list again
                        return
                    version = event["object"]["metadata"]["resourceVersion"]
                    change = self._remove if event["type"] == "DELETED" else self._provide
                    change(asking, event["object"])

    def _provide(self, rest: Rest, claim: Object) -> None:
        uid = claim["metadata"]["uid"]
        waits = claim["status"].get("phase") == "Pending" and not claim["spec"].get("volumeName")
        if uid in self._made or not waits:
            return
        if claim["spec"].get("storageClassName") == self.storage_class:
            folder = self.folder(claim)
            folder.mkdir(mode=0o777, parents=True, exist_ok=True)
            rest.call("POST", VOLUMES, _volume(claim, folder, self.node))
            self._made.add(uid)

    def _remove(self, rest: Rest, claim: Object) -> None:
        if claim["spec"].get("storageClassName") == self.storage_class:
            rest.call("DELETE", f"{VOLUMES}/{_volume_name(claim)}")
            shutil.rmtree(self.folder(claim), ignore_errors=True)


def _storage_class() -> Object:
    default = {"storageclass.kubernetes.io/is-default-class": "true"}
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": CLASS, "annotations": default},
        "provisioner": NAME,
        "reclaimPolicy": "Retain",
        "allowVolumeExpansion": True,
    }


def _volume_name(claim: Object) -> str:
    return f"pvc-{claim['metadata']['uid']}"


def local_source(folder: Path, node: str) -> Object:
    """The part of a volume's spec that ties it to a folder of a node."""
    here = {"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}
    return {
        "local": {"path": str(folder)},
        "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}},
    }


def _volume(claim: Object, folder: Path, node: str | None) -> Object:
    about, spec = claim["metadata"], claim["spec"]
    source = local_source(folder, node) if node else {"hostPath": {"path": str(folder)}}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {
            "name": _volume_name(claim),
            "annotations": {"pv.kubernetes.io/provisioned-by": NAME},
        },
        "spec": {
            "capacity": {"storage": spec["resources"]["requests"]["storage"]},
            "accessModes": spec["accessModes"],
            "storageClassName": CLASS,
            "persistentVolumeReclaimPolicy": "Retain",
            "claimRef": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                **{key: about[key] for key in ("namespace", "name", "uid")},
            },
            **source,
        },
    }
