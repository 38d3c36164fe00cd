"""A thousand StatefulSets and pods, listed and watched: facts of ours beside generated models.

One real API server, and for each way a process of its own, which lists both kinds in pages of 500,
keeps what it found, and takes a watch event of each object: the same six calls. Memory is the peak
of the process, CPU what it used after its imports.
"""

from __future__ import annotations

import asyncio
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OBJECTS, PAGE, SPACE = 1_000, 500, "default"
Row = dict[str, object]
Figures = dict[str, float]


def race() -> list[Row]:
    """Both ways on the same objects, one after the other."""
    sys.path.insert(0, str(ROOT / "tests" / "support"))
    from cluster.api import Api  # noqa: PLC0415 -- the harness has its folder on the path now
    from cluster.control_plane import Settings, prepare  # noqa: PLC0415
    from cluster.credentials import ADMIN  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="cybervein-bench-") as place:
        plane = prepare(
            Path(place), Settings(api_server_flags=("--disable-admission-plugins=ServiceAccount",))
        )
        plane.etcd.start()
        plane.start_api_server()
        try:
            api = Api.at(plane.endpoint(ADMIN)).within(SPACE)
            for number in range(OBJECTS):
                api.apply(stateful_set(number), pod(number))
            ways = {way: measured(way, plane.kubeconfig(ADMIN)) for way in ("facts", "models")}
        finally:
            plane.api_server.kill()
            plane.etcd.kill()
    return [row(figure, unit, ways) for figure, unit in (("memory", "MiB"), ("CPU", "s"))]


def row(figure: str, unit: str, ways: dict[str, Figures]) -> Row:
    """One figure of both."""
    ours, peer = ways["facts"][figure], ways["models"][figure]
    return {"race": f"1,000 StatefulSets and pods: {figure}", "unit": unit, "ours": ours,
            "peer_name": "kubernetes.aio models", "peer": peer, "ratio": peer / ours}  # fmt: skip


def pod_spec() -> dict[str, object]:
    """As long as a miner's."""
    names = [f"disk{each}" for each in range(6)]
    container = {
        "name": "miner",
        "image": "cybervein:test",
        "env": [{"name": f"SETTING_{each}", "value": "x" * 40} for each in range(20)],
        "volumeMounts": [{"name": each, "mountPath": f"/{each}"} for each in names],
    }
    volumes = [{"name": each, "emptyDir": {}} for each in names]
    return {"containers": [container], "volumes": volumes}


def stateful_set(number: int) -> dict[str, object]:
    """One that makes no pods: no controller runs."""
    labels = {"app": "bench"}
    spec = {"serviceName": "none", "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod_spec()}}  # fmt: skip
    meta = {"name": f"miner-{number}"}
    return {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": meta, "spec": spec}


def pod(number: int) -> dict[str, object]:
    """One that no scheduler sees."""
    meta = {"name": f"miner-{number}-0"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": pod_spec()}


def measured(way: str, kubeconfig: Path) -> Figures:
    """This file as a process of its own."""
    command = [sys.executable, __file__, way, str(kubeconfig)]
    text = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    found: Figures = json.loads(text)
    return found


async def facts(kubeconfig: Path) -> float:
    """The operator's own listing, store and facts."""
    from cybervein_operator.api.kinds import ClusterKind  # noqa: PLC0415 -- part of the figure
    from cybervein_operator.cluster.client import ClusterClient  # noqa: PLC0415
    from cybervein_operator.cluster.listing import Listing, WatchTimes  # noqa: PLC0415
    from cybervein_operator.cluster.login import find_login  # noqa: PLC0415
    from cybervein_operator.metrics import Metrics  # noqa: PLC0415
    from cybervein_operator.observed.extract import seen  # noqa: PLC0415
    from cybervein_operator.observed.store import FactStore  # noqa: PLC0415

    client = ClusterClient(await find_login(kubeconfig), Metrics(), concurrency=1)
    began, store = cpu_s(), FactStore()
    for kind in (ClusterKind.STATEFUL_SET, ClusterKind.POD):
        listing, left = Listing(client, kind, SPACE, ""), OBJECTS
        async for page in listing.pages():
            for item in page.items:
                store.put(kind, (SPACE, item.metadata.name), seen(kind, item))
        async for event in listing.events("0", WatchTimes()):
            item, left = event.item(), left - 1
            store.put(kind, (SPACE, item.metadata.name), seen(kind, item))
            if not left:
                break
        assert store.count(kind) == OBJECTS
    await client.close()
    return began


async def models(kubeconfig: Path) -> float:
    """The package's models, lists and watches."""
    from kubernetes.aio import client, config, watch  # noqa: PLC0415 -- part of the figure

    settings = client.Configuration()
    await config.load_kube_config(str(kubeconfig), client_configuration=settings)
    async with client.ApiClient(settings) as api:
        sets, pods = client.AppsV1Api(api), client.CoreV1Api(api)
        began = cpu_s()
        for call in (sets.list_namespaced_stateful_set, pods.list_namespaced_pod):
            store, more, left = dict[str, object](), None, OBJECTS
            while more != "":
                page = await call(SPACE, limit=PAGE, **({"_continue": more} if more else {}))
                store |= {each.metadata.name: each for each in page.items}
                more = page.metadata._continue or ""  # noqa: SLF001 -- the model's name for `continue`
            async with watch.Watch().stream(call, SPACE, resource_version="0") as events:
                async for event in events:
                    store[event["object"].metadata.name], left = event["object"], left - 1
                    if not left:
                        break
            assert len(store) == OBJECTS
            KEPT.append(store)
    return began


KEPT: list[object] = []


def cpu_s() -> float:
    """Of this process until now."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """One way, in this process."""
    began = asyncio.run({"facts": facts, "models": models}[sys.argv[1]](Path(sys.argv[2])))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"CPU": round(cpu_s() - began, 3), "memory": round(peak, 1)}))


if __name__ == "__main__":
    main()
