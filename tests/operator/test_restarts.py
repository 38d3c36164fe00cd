"""What a person tells the operator about rolling: restart, wait for a window, pause, autoscale."""

from datetime import UTC, datetime, timedelta

import pytest
from cluster.rest import Object
from farm import Plugin
from operator_lab import Lab, condition

pytestmark = pytest.mark.kubernetes
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@pytest.fixture
def plugin(lab: Lab) -> Plugin:
    return Plugin(lab.api, lab.kubectl.kubeconfig, lab.directory)


def pods(lab: Lab, count: int = 2) -> list[str]:
    found = [lab.api.get("pod", f"home-{each}-0") for each in range(count)]
    return [str(each["metadata"]["uid"]) if each else "" for each in found]


def images(lab: Lab, count: int = 2) -> list[str]:
    found = [lab.api.get("statefulset", f"home-{each}") for each in range(count)]
    return [each["spec"]["template"]["spec"]["containers"][0]["image"] for each in found if each]


def some_days_from_now() -> Object:
    """A window that is shut today, whatever day it is."""
    days = {(datetime.now(UTC) + timedelta(days=each)).weekday() for each in (3, 4)}
    return {"days": [DAYS[each] for each in sorted(days)], "start": "02:00", "durationMinutes": 60}


def test_a_restart_is_in_turn_after_proofs_and_outside_of_the_window(
    lab: Lab, plugin: Plugin
) -> None:
    node = lab.join()
    lab.pool(replicas=2)
    lab.ready("home", 2)
    lab.responder.miner(lab.namespace, "home-1").proved = None  # it owes no proof
    first = pods(lab)
    out = plugin("restart", "home", "home-1")
    assert "home-1: restarted" in out
    second = pods(lab)
    assert second[0] == first[0]
    assert second[1] != first[1]

    shut = {"window": some_days_from_now()}
    lab.pool(replicas=2, image="cybervein:next", rollout=shut)
    found = lab.wait(
        "minerpool",
        "home",
        lambda pool: condition(pool, "Progressing") == ("True", "WaitingForWindow"),
        "waits for the window",
    )
    assert found["status"]["updatedReplicas"] == 0
    assert images(lab) == ["cybervein:test", "cybervein:test"]
    node.epoch = 6  # home-0 has proved the one before
    lab.wait("network", "net", lambda each: each["status"]["epoch"] == 6, "is in epoch 6")
    run = plugin.start("restart", "home")
    assert run.stderr is not None
    told = ""
    while "1 of 2 miners have restarted" not in told:
        line = run.stderr.readline()
        assert line, told
        told += line
    assert images(lab) == ["cybervein:test", "cybervein:next"]
    miner = lab.responder.miner(lab.namespace, "home-0")
    miner.epoch = miner.proved = 6
    out, err = run.communicate()
    assert run.returncode == 0, err
    assert "home-0, home-1: restarted" in out
    assert images(lab) == ["cybervein:next", "cybervein:next"]
    third = pods(lab)
    notes = {"cybervein.io/restart": None, "restart.cybervein.io/home-1": None}
    lab.api.patch("minerpool", "home", {"metadata": {"annotations": notes}})
    lab.pool(replicas=2, image="cybervein:next", rollout={})
    assert lab.ready("home", 2)["status"]["updatedReplicas"] == 2
    assert pods(lab) == third  # a wish that is taken away restarts nobody


def test_a_paused_pool_says_so_until_it_is_resumed(lab: Lab, plugin: Plugin) -> None:
    lab.join()
    lab.pool(replicas=1)
    lab.ready("home", 1)
    assert "minerpool/home is paused" in plugin("pause", "home")
    assert "network/net is paused" in plugin("pause", "network/net")
    for kind, name in (("minerpool", "home"), ("network", "net")):
        lab.wait(kind, name, lambda each: condition(each, "Paused")[0] == "True", "is Paused")
        assert " True " in lab.kubectl("get", kind, name, "-o", "wide")
    lab.kubectl("scale", "minerpool", "home", "--replicas=2")
    lab.wait("minerpool", "home", lambda each: each["status"]["phases"].get("Pending"), "sees it")
    assert lab.api.get("statefulset", "home-1") is None
    assert "minerpool/home is resumed" in plugin("resume", "minerpool/home")
    plugin("resume", "net")
    lab.ready("home", 2)
    found = lab.wait("minerpool", "home", lambda each: not condition(each, "Paused")[0], "goes on")
    assert "cybervein.io/paused" not in found["metadata"].get("annotations", {})
    assert "neither a MinerPool nor a Network" in plugin("pause", "nobody", code=1)


def test_an_autoscaler_scales_the_pool_through_its_scale_subresource(lab: Lab) -> None:
    lab.join()
    lab.pool(replicas=1)
    lab.ready("home", 1)
    target = {"apiVersion": "cybervein.io/v1alpha1", "kind": "MinerPool", "name": "home"}
    load = {"type": "Resource", "resource": {"name": "cpu", "target": {
        "type": "Utilization", "averageUtilization": 80}}}  # fmt: skip
    lab.api.apply(
        {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "home"},
            "spec": {
                "scaleTargetRef": target,
                "minReplicas": 3,
                "maxReplicas": 5,
                "metrics": [load],
            },
        }
    )
    lab.ready("home", 3)
    found = lab.api.wait(
        "hpa",
        "home",
        lambda each: condition(each, "ScalingActive")[0],
        "has asked for metrics of the pods that the pool's selector names",
    )
    assert condition(found, "AbleToScale")[0] == "True"
    assert condition(found, "ScalingActive")[1] == "FailedGetResourceMetric"  # nobody measures here
    pool = lab.api.get("minerpool", "home")
    assert pool is not None
    assert pool["spec"]["replicas"] == 3
