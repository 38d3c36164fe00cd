"""`support-bundle`: one tar.gz with what somebody needs who helps from afar.

Resources with their statuses, what the operator made, events, logs, metrics. Secrets are never
read; `redaction` takes keys out of the rest. What cannot be had is named in `errors.txt`.
"""

import io
import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cybervein_protocol.errors import CyberVeinError

from cybervein_operator.plugin.kubectl import GROUP, Kubectl, Object
from cybervein_operator.plugin.redaction import clean, clean_text

OURS = "app.kubernetes.io/name=cybervein"
LISTS = {
    "networks": f"networks.{GROUP}",
    "minerpools": f"minerpools.{GROUP}",
    "minerdisks": f"minerdisks.{GROUP}",
}
CHILDREN = (
    "pods", "statefulsets", "deployments", "services", "persistentvolumeclaims",
    "poddisruptionbudgets", "networkpolicies", "configmaps",
)  # fmt: skip
CLUSTER = ("nodes", "storageclasses", f"customresourcedefinitions/minerpools.{GROUP}")
LOG_LINES = 2000
PODS_MAX = 100
PORTS = {"miner": 9400, "operator": 8080}


@dataclass
class Bundle:
    """Files by name, and what could not be had."""

    files: dict[str, str] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    def write(self, path: Path) -> None:
        """The tar.gz; readable for its owner alone."""
        everything = self.files | {"errors.txt": "\n".join([*self.errors, ""])}
        path.touch(mode=0o600)
        with tarfile.open(path, "w:gz") as archive:
            for name, text in sorted(everything.items()):
                data = text.encode()
                entry = tarfile.TarInfo(f"cybervein-support/{name}")
                entry.size, entry.mode = len(data), 0o600
                archive.addfile(entry, io.BytesIO(data))


def collect(kubectl: Kubectl) -> Bundle:
    """Everything that can be had, cleaned."""
    bundle = Bundle()
    for name, text in _parts(kubectl, bundle.errors):
        bundle.files[name] = text
    return bundle


def _parts(kubectl: Kubectl, errors: list[str]) -> Iterator[tuple[str, str]]:
    for name, kinds in LISTS.items():
        yield from _list(kubectl, errors, f"resources/{name}.json", kinds)
    for kind in CHILDREN:
        yield from _list(kubectl, errors, f"objects/{kind}.json", kind, "-l", OURS)
    yield from _list(kubectl, errors, "events.json", "events")
    for what in CLUSTER:
        yield from _text(kubectl, errors, f"cluster/{what.partition('/')[0]}.yaml", what)
    try:
        pods = kubectl.list("pods", "-l", OURS)
    except CyberVeinError:
        return  # said already
    if len(pods) > PODS_MAX:
        errors.append(f"logs of {PODS_MAX} pods of {len(pods)}")
    for pod in sorted(pods, key=_importance)[:PODS_MAX]:
        yield from _of_pod(kubectl, errors, pod)


def _importance(pod: Object) -> int:
    """The operator first, then who restarted or is not ready."""
    if _component(pod) == "operator":
        return 0
    states = pod.get("status", {}).get("containerStatuses", [])
    return 1 if any(not each["ready"] or each["restartCount"] for each in states) else 2


def _component(pod: Object) -> str:
    return str(pod["metadata"]["labels"].get("app.kubernetes.io/component", ""))


def _list(
    kubectl: Kubectl, errors: list[str], name: str, kinds: str, *flags: str
) -> Iterator[tuple[str, str]]:
    try:
        yield name, json.dumps(clean(kubectl.list(kinds, *flags)), indent=1)
    except CyberVeinError as error:
        errors.append(f"{name}: {clean_text(str(error))}")


def _text(
    kubectl: Kubectl, errors: list[str], name: str, what: str
) -> Iterator[tuple[str, str]]:  # fmt: skip
    try:
        yield name, clean_text(kubectl("get", what, "-o", "yaml"))
    except CyberVeinError as error:
        errors.append(f"{name}: {clean_text(str(error))}")


def _of_pod(kubectl: Kubectl, errors: list[str], pod: Object) -> Iterator[tuple[str, str]]:
    meta = pod["metadata"]
    here = Kubectl(meta["namespace"], kubectl.context)
    folder = f"pods/{meta['namespace']}/{meta['name']}"
    containers = pod["spec"].get("initContainers", []) + pod["spec"]["containers"]
    asked = ("logs", meta["name"], f"--tail={LOG_LINES}", "--timestamps", "-c")
    calls: dict[str, tuple[str, ...]] = {
        f"{each['name']}.log": (*asked, each["name"]) for each in containers
    }
    for each in pod.get("status", {}).get("containerStatuses", []):
        if each["restartCount"]:
            calls[f"{each['name']}.previous.log"] = (*asked, each["name"], "--previous")
    if _component(pod) in PORTS:
        where = f"{meta['name']}:{PORTS[_component(pod)]}/proxy/metrics"
        calls["metrics.txt"] = (
            "get",
            "--raw",
            f"/api/v1/namespaces/{meta['namespace']}/pods/{where}",
        )
    for name, call in calls.items():
        try:
            yield f"{folder}/{name}", clean_text(here(*call))
        except CyberVeinError as error:
            errors.append(f"{folder}/{name}: {clean_text(str(error))}")
