"""`support-bundle`: one tar.gz with what somebody needs who helps from afar.

Resources with their statuses, what the operator made, events, logs, metrics. Secrets are never
read; `redaction` takes keys out of the rest. What cannot be had is named in `errors.txt`.
"""

import asyncio
import io
import json
import tarfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cybervein_protocol.errors import CyberVeinError

from cybervein_operator.api import GROUP
from cybervein_operator.api.kinds import ClusterKind, Resource
from cybervein_operator.plugin.answers import Object
from cybervein_operator.plugin.api_server import DEFINITION, ApiServer
from cybervein_operator.plugin.redaction import clean, clean_text

OURS = "app.kubernetes.io/name=cybervein"
RESOURCES = (ClusterKind.NETWORK, ClusterKind.POOL, ClusterKind.DISK)
CHILDREN = (
    ClusterKind.POD.resource,
    ClusterKind.STATEFUL_SET.resource,
    Resource("apps/v1", "deployments", "Deployment"),
    ClusterKind.SERVICE.resource,
    ClusterKind.CLAIM.resource,
    ClusterKind.BUDGET.resource,
    Resource("networking.k8s.io/v1", "networkpolicies", "NetworkPolicy"),
    ClusterKind.CONFIG_MAP.resource,
)
CLUSTER = (ClusterKind.NODE, ClusterKind.STORAGE_CLASS)
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

    async def take(self, name: str, asked: Awaitable[Any], write: Callable[[Any], str]) -> None:
        """One file, cleaned, or why there is none."""
        try:
            self.files[name] = write(await asked)
        except CyberVeinError as error:
            self.errors.append(f"{name}: {clean_text(str(error))}")


async def collect(api: ApiServer) -> Bundle:
    """Everything that can be had, cleaned."""
    bundle = Bundle()
    for ours in (each.resource for each in RESOURCES):
        await bundle.take(f"resources/{ours.plural}.json", api.list(ours), _json)
    for kind in CHILDREN:
        await bundle.take(f"objects/{kind.plural}.json", api.list(kind, OURS), _json)
    await bundle.take("events.json", api.list(ClusterKind.EVENT.resource), _json)
    for wide in (each.resource for each in CLUSTER):
        await bundle.take(f"cluster/{wide.plural}.yaml", api.list(wide), _yaml_list)
    crd = api.get(DEFINITION, f"minerpools.{GROUP}")
    await bundle.take(f"cluster/{DEFINITION.plural}.yaml", crd, _yaml)
    await _pods(api, bundle)
    return bundle


async def _pods(api: ApiServer, bundle: Bundle) -> None:
    try:
        pods = await api.list(ClusterKind.POD.resource, OURS)
    except CyberVeinError:
        return  # said already
    if len(pods) > PODS_MAX:
        bundle.errors.append(f"logs of {PODS_MAX} pods of {len(pods)}")
    for pod in sorted(pods, key=_importance)[:PODS_MAX]:
        await _of_pod(api, bundle, pod)


def _json(value: Any) -> str:  # noqa: ANN401 -- JSON
    return json.dumps(clean(value), indent=1)


def _yaml(value: Any) -> str:  # noqa: ANN401 -- JSON
    import yaml  # noqa: PLC0415 -- comes with kubernetes, which is imported when somebody logs in

    return clean_text(yaml.safe_dump(clean(value), allow_unicode=True))


def _yaml_list(objects: list[Object]) -> str:
    return _yaml({"apiVersion": "v1", "kind": "List", "items": objects})


def _importance(pod: Object) -> int:
    """The operator first, then who restarted or is not ready."""
    if _component(pod) == "operator":
        return 0
    states = pod.get("status", {}).get("containerStatuses", [])
    return 1 if any(not each["ready"] or each["restartCount"] for each in states) else 2


def _component(pod: Object) -> str:
    return str(pod["metadata"]["labels"].get("app.kubernetes.io/component", ""))


async def _of_pod(api: ApiServer, bundle: Bundle, pod: Object) -> None:
    """Its logs, those of containers that ended before, and its metrics, side by side."""
    meta = pod["metadata"]
    folder = f"pods/{meta['namespace']}/{meta['name']}"
    where = ClusterKind.POD.resource.path(meta["namespace"], meta["name"])
    calls = {name: api.text(f"{where}/log", query) for name, query in _logs(pod).items()}
    if _component(pod) in PORTS:
        port = PORTS[_component(pod)]
        calls["metrics.txt"] = api.of_pod(meta["namespace"], meta["name"], port, "/metrics")
    await asyncio.gather(
        *(bundle.take(f"{folder}/{name}", asked, clean_text) for name, asked in calls.items())
    )


def _logs(pod: Object) -> dict[str, dict[str, Any]]:
    """The query of each log by the name of its file."""
    found = dict[str, dict[str, Any]]()
    for each in pod["spec"].get("initContainers", []) + pod["spec"]["containers"]:
        asked = {"container": each["name"], "tailLines": LOG_LINES, "timestamps": "true"}
        found[f"{each['name']}.log"] = asked
    for each in pod.get("status", {}).get("containerStatuses", []):
        if each["restartCount"]:
            before = found[f"{each['name']}.log"] | {"previous": "true"}
            found[f"{each['name']}.previous.log"] = before
    return found
