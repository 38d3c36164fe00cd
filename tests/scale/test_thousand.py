"""A thousand miners: how long they take, what the operator costs, and what it does at rest.

Figures go to `bench/results-kubernetes.json` where CYBERVEIN_BENCH_OUT names it.
"""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cluster.control_plane import ControlPlane
from cluster.credentials import ADMIN
from cluster.kwok import Kwok
from cluster.rest import Rest
from cluster.running import Cluster
from cluster.waiting import until
from measure import usage
from operator_lab import ROOT, Lab
from responder import Responder

pytestmark = pytest.mark.scale
MINERS = int(os.environ.get("CYBERVEIN_SCALE_MINERS", "1000"))
NODES = 50
REST_SECONDS = float(os.environ.get("CYBERVEIN_SCALE_REST_SECONDS", "60"))
MEMORY_MIB_MAX = 300
CPU_SHARE_MAX = 0.02
SETTLED = ("InUse", "Ready")
DEFAULTS = (
    *("--polls-per-second", "3", "--poll-seconds", "15", "--canary-seconds", "60"),
    *("--workers", "16"),
)


@pytest.fixture
def lab(
    cluster: Cluster, kwok: Kwok, storage_class: str, namespace: str, tmp_path: Path
) -> Iterator[Lab]:
    """The operator with the settings that it has in a pod."""
    del storage_class
    cluster.kubectl.apply_file(ROOT / "manifests" / "crds")
    for each in ("networks", "minerpools", "minerdisks"):
        cluster.api.wait(
            "crd", f"{each}.cybervein.io", lambda crd: crd["status"].get("conditions"), "is there"
        )
    kwok.add_nodes(NODES)
    responder = Responder().start()
    made = Lab(cluster, namespace, tmp_path, responder, options=DEFAULTS)
    with made.running() as running:
        yield running
    responder.stop()


def test_a_thousand_miners_and_what_they_cost(lab: Lab, control_plane: ControlPlane) -> None:
    user = f"{lab.namespace}:cybervein-operator"
    lab.join()
    figures: dict[str, object] = {"miners": MINERS, "nodes": NODES}
    with Rest(control_plane, ADMIN) as rest:
        began = time.monotonic()
        lab.pool(replicas=1)
        wait_ready(rest, lab, 1)
        figures["apply_to_ready_seconds"] = round(time.monotonic() - began, 2)
        lab.kubectl("scale", "minerpool", "home", "--replicas=0")
        lab.api.wait_gone("statefulset", "home-0")

        mark, before = control_plane.audit.mark(), usage(lab.process.pid)
        began = time.monotonic()
        lab.kubectl("scale", "minerpool", "home", f"--replicas={MINERS}")
        wait_ready(rest, lab, MINERS)
        after = usage(lab.process.pid)
        calls = control_plane.audit.counts(since=mark, user=user)
        figures |= {
            "scale_up_seconds": round(after.at - began, 1),
            "scale_up_miners_per_second": round(MINERS / (after.at - began), 1),
            "scale_up_operator_cpu_seconds": round(after.cpu_seconds - before.cpu_seconds, 1),
            "scale_up_api_calls_per_miner": round(sum(calls.values()) / MINERS, 2),
            "scale_up_api_calls": dict(calls.most_common()),
        }
        write(figures)
    settle(lab, control_plane)
    figures |= at_rest(lab, control_plane, user)
    write(figures)
    with Rest(control_plane, ADMIN) as rest:
        figures["drift_seconds"] = drift(rest, lab)
    figures["operator_peak_mib"] = round(usage(lab.process.pid).peak_mib, 1)
    write(figures)
    print(json.dumps(figures, indent=1))
    assert figures["rest_writes"] == 0
    assert usage(lab.process.pid).peak_mib < MEMORY_MIB_MAX


def wait_ready(rest: Rest, lab: Lab, count: int) -> None:
    path = f"/apis/cybervein.io/v1alpha1/namespaces/{lab.namespace}/minerpools/home"

    def ready() -> bool:
        return rest.call("GET", path).get("status", {}).get("readyReplicas", 0) == count

    until(
        ready,
        f"{count} miners are Ready",
        every_seconds=0.1 if count == 1 else 1.0,
        diagnose=lab.process.tail,
    )


def settle(lab: Lab, control_plane: ControlPlane) -> None:
    """Every miner was asked, and every disk says what its miner said."""
    path = f"/apis/cybervein.io/v1alpha1/namespaces/{lab.namespace}/minerdisks"

    def told() -> bool:
        with Rest(control_plane, ADMIN) as rest:
            found = [each.get("status", {}) for each in rest.call("GET", path)["items"]]
        return (
            sum((each.get("phase"), each.get("minerPhase")) == SETTLED for each in found) == MINERS
        )

    until(told, "all disks are in use", every_seconds=5)
    until(
        lambda: lab.metric("cybervein_operator_queue_depth") == 0,
        "nothing waits",
        every_seconds=1,
    )


def at_rest(lab: Lab, control_plane: ControlPlane, user: str) -> dict[str, object]:
    mark, before = control_plane.audit.mark(), usage(lab.process.pid)
    polls = lab.metric("cybervein_operator_polls_total")
    until(
        lambda: time.monotonic() - before.at > REST_SECONDS,
        "time at rest",
        every_seconds=1,
    )
    after = usage(lab.process.pid)
    asked = lab.metric("cybervein_operator_polls_total") - polls
    minutes = (after.at - before.at) / 60
    calls = control_plane.audit.counts(since=mark, user=user)
    writes = [
        call
        for call in control_plane.audit.calls(since=mark, user=user)
        if call.writes and "canary" not in call.name
    ]
    assert asked > 0
    share = (after.cpu_seconds - before.cpu_seconds) / (after.at - before.at)
    return {
        "rest_writes": len(writes),
        "rest_seconds": round(after.at - before.at, 1),
        "rest_cpu_share": round(share, 4),
        "rest_cpu_share_aim": CPU_SHARE_MAX,
        "rest_api_calls_per_minute": round(sum(calls.values()) / minutes, 1),
        "rest_api_calls": dict(calls),
        "rest_polls_per_second": round(asked / (after.at - before.at), 2),
        "rest_resident_mib": round(after.resident_mib, 1),
    }


def drift(rest: Rest, lab: Lab) -> float:
    """Seconds from a foreign edit until it is put back."""
    path = f"/api/v1/namespaces/{lab.namespace}/services/home-0"
    began = time.monotonic()
    lab.api.patch("service", "home-0", {"spec": {"publishNotReadyAddresses": False}})
    patched = time.monotonic()
    until(
        lambda: rest.call("GET", path)["spec"].get("publishNotReadyAddresses"),
        "it is put back",
        every_seconds=0.01,
    )
    assert patched > began
    return round(time.monotonic() - patched, 3)


def write(figures: dict[str, object]) -> None:
    out = os.environ.get("CYBERVEIN_BENCH_OUT")
    if out:
        Path(out).write_text(json.dumps(figures, indent=1, sort_keys=True) + "\n")
