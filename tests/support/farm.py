"""`kubectl cybervein` as a real process against a real API server."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from cluster.api import Api
from cluster.rest import Object
from cluster.tools import tool
from waiting import DEADLINE_SECONDS

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Plugin:
    """The plug-in as a person calls it."""

    api: Api
    kubeconfig: Path
    directory: Path

    def __call__(self, *arguments: str, code: int = 0) -> str:
        """Its standard output; it must end with `code`."""
        run = self.start(*arguments)
        out, err = run.communicate(timeout=DEADLINE_SECONDS)
        assert run.returncode == code, f"{run.returncode}: {out}{err}"
        return out if code == 0 else out + err

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """It, running: `kubectl` finds it on the PATH as `kubectl-cybervein`."""
        paths = (str(Path(sys.executable).parent), str(tool("kubectl").parent))
        path = os.pathsep.join((*paths, os.environ["PATH"]))
        space = ("--namespace", self.api.namespace)
        return subprocess.Popen(
            [tool("kubectl"), "cybervein", *arguments, *space],
            env={
                **os.environ,
                "PATH": path,
                "KUBECONFIG": str(self.kubeconfig),
                "COLUMNS": "250",
            },
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


def resource(kind: str, name: str, spec: Object) -> Object:
    """One of ours."""
    api = "cybervein.io/v1alpha1"
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name}, "spec": spec}


def miner_disk(ordinal: int) -> Object:
    """As the operator makes them."""
    name = f"pool-{ordinal}"
    spec = {"pool": "pool", "miner": name, "disk": "disk1", "claim": f"{name}-disk1"}
    return resource("MinerDisk", f"{name}-disk1", spec)


def stateful_set(ordinal: int) -> Object:
    """A miner's, without a pod."""
    labels = {"cybervein.io/miner": f"pool-{ordinal}"}
    template = {
        "metadata": {"labels": labels},
        "spec": {"containers": [{"name": "miner", "image": "none"}]},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": f"pool-{ordinal}"},
        "spec": {"replicas": 0, "selector": {"matchLabels": labels}, "template": template},
    }


def condition(status: str, reason: str, message: str = "") -> Object:
    """`Ready`, as the operator says it."""
    return {
        "type": "Ready",
        "status": status,
        "reason": reason,
        "message": message,
        "lastTransitionTime": "2026-11-21T00:00:00Z",
    }


def say(api: Api, kind: str, name: str, **status: object) -> None:
    """Play the operator: write a status."""
    api.patch(kind, name, {"status": status}, subresource="status")


def disk_says(api: Api, ordinal: int, **status: object) -> None:
    """Play the operator: what a disk's miner said."""
    known = {"minerPhase": "Ready", "node": "node-a", "address": f"cv{ordinal + 1}" + "1" * 45}
    say(api, "minerdisk", f"pool-{ordinal}-disk1", **(known | status))
