"""Scaling down, spec.drain and a drained node: empty first, then stop, and keep the data."""

import pytest
from operator_lab import Lab, condition
from waiting import until

pytestmark = pytest.mark.kubernetes


def pool_with(lab: Lab, replicas: int, **spec: object) -> None:
    lab.join()
    lab.pool(replicas=replicas, **spec)
    lab.ready("home", replicas)


def test_scaling_down_moves_the_shards_before_the_pod_goes(lab: Lab) -> None:
    pool_with(lab, 3)
    last = lab.responder.miner(lab.namespace, "home-2")
    last.held, last.holds = 7, True
    lab.kubectl("scale", "minerpool", "home", "--replicas=2")
    found = lab.wait(
        "minerpool", "home", lambda pool: condition(pool, "Draining")[0] == "True", "drains"
    )
    assert found["status"]["phases"] == {"Ready": 2, "Draining": 1}
    until(lambda: last.draining, "the miner was told")
    assert lab.api.get("statefulset", "home-2") is not None
    last.held, last.promised = 0, 2  # an upload that began before is not committed yet
    found = lab.wait(
        "minerpool",
        "home",
        lambda pool: "0 shards to move" in pool["status"]["attention"][0]["message"],
        "has moved what it holds",
    )
    assert "2 shards of open deals may come" in found["status"]["attention"][0]["message"]
    assert lab.api.get("statefulset", "home-2") is not None
    last.promised = 0
    lab.api.wait_gone("statefulset", "home-2")
    lab.api.wait_gone("service", "home-2")
    for kind, name in (
        ("secret", "home-2-identity"),
        ("pvc", "home-2-state"),
        ("pvc", "home-2-a"),
    ):
        assert lab.api.get(kind, name) is not None, name
    lab.ready("home", 2)
    assert lab.responder.miner(lab.namespace, "home-0").calls == []


def test_a_drain_that_nobody_can_take_over_says_so_and_removes_nothing(lab: Lab) -> None:
    pool_with(lab, 2)
    miner = lab.responder.miner(lab.namespace, "home-1")
    miner.held, miner.holds, miner.blocked_by = 4, True, "no free failure domain for 4 shards"
    lab.kubectl("scale", "minerpool", "home", "--replicas=1")
    found = lab.wait(
        "minerpool",
        "home",
        lambda pool: condition(pool, "Draining")[1] == "DrainBlocked",
        "says that the drain is blocked",
    )
    (waits,) = found["status"]["attention"]
    assert (waits["miner"], waits["reason"]) == ("home-1", "DrainBlocked")
    assert "no free failure domain" in waits["message"]
    assert lab.api.get("statefulset", "home-1") is not None
    until(lambda: "DrainBlocked" in lab.events("home"), "an event warns")


def test_scaling_up_again_cancels_the_drain(lab: Lab) -> None:
    pool_with(lab, 2)
    miner = lab.responder.miner(lab.namespace, "home-1")
    miner.held, miner.holds = 4, True
    before = lab.api.get("statefulset", "home-1")
    assert before is not None
    lab.kubectl("scale", "minerpool", "home", "--replicas=1")
    until(lambda: miner.draining, "it drains")
    lab.kubectl("scale", "minerpool", "home", "--replicas=2")
    until(lambda: not miner.draining, "it was told to stay")
    lab.ready("home", 2)
    after = lab.api.get("statefulset", "home-1")
    assert after is not None
    assert after["metadata"]["uid"] == before["metadata"]["uid"]


def test_spec_drain_empties_one_in_the_middle_and_brings_it_back_as_it_was(lab: Lab) -> None:
    pool_with(lab, 3)
    before = lab.api.get("secret", "home-1-identity")
    lab.pool(replicas=3, drain=["home-1"])
    lab.api.wait_gone("statefulset", "home-1")
    lab.wait(
        "minerpool",
        "home",
        lambda pool: pool["status"]["phases"] == {"Ready": 2, "Drained": 1},
        "has one drained",
    )
    lab.pool(replicas=3)
    lab.ready("home", 3)
    assert lab.api.get("secret", "home-1-identity") == before
    assert not lab.responder.miner(lab.namespace, "home-1").draining


def test_a_drained_node_loses_its_miners_until_the_annotation_goes(lab: Lab) -> None:
    pool_with(lab, 2)
    pod = lab.api.get("pod", "home-0-0")
    assert pod is not None
    node = pod["spec"]["nodeName"]
    here = {
        each["metadata"]["name"]
        for each in lab.api.list("pods")
        if each["spec"].get("nodeName") == node
    }
    lab.kubectl("annotate", "node", node, "cybervein.io/drain=true")
    try:
        for each in here:
            lab.api.wait_gone("statefulset", each.removesuffix("-0"))
        drained = {"Drained": len(here)} | ({"Ready": 2 - len(here)} if len(here) < 2 else {})
        lab.wait(
            "minerpool", "home", lambda pool: pool["status"]["phases"] == drained, "stays drained"
        )
        claim = lab.api.get("pvc", "home-0-state")
        assert claim is not None
        assert claim["metadata"]["annotations"]["cybervein.io/node"] == node
    finally:
        lab.kubectl("annotate", "node", node, "cybervein.io/drain-")
    lab.ready("home", 2)


def test_a_drained_node_that_is_removed_gives_its_miners_to_others(lab: Lab) -> None:
    pool_with(lab, 1)
    pod = lab.api.get("pod", "home-0-0")
    assert pod is not None
    node = pod["spec"]["nodeName"]
    lab.kubectl("annotate", "node", node, "cybervein.io/drain=true")
    lab.api.wait_gone("statefulset", "home-0")
    lab.kubectl("delete", "node", node)
    lab.ready("home", 1)
    pod = lab.api.get("pod", "home-0-0")
    assert pod is not None
    assert pod["spec"]["nodeName"] != node
    assert not lab.responder.miner(lab.namespace, "home-0").draining


def test_an_operator_killed_in_a_drain_finishes_it(lab: Lab) -> None:
    pool_with(lab, 2)
    miner = lab.responder.miner(lab.namespace, "home-1")
    miner.held, miner.holds = 4, True
    lab.kubectl("scale", "minerpool", "home", "--replicas=1")
    until(lambda: miner.draining, "it drains")
    lab.process.kill()
    miner.held = 0
    lab.start()
    lab.api.wait_gone("statefulset", "home-1")
    lab.ready("home", 1)
    assert miner.calls.count("POST drain") == 1
