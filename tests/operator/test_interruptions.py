"""The operator, the API server, a super node or a miner goes away, and comes back."""

import time
from collections import Counter

import pytest
from cluster.control_plane import ControlPlane
from operator_lab import Lab, condition
from waiting import until

pytestmark = pytest.mark.kubernetes
GRACE_SECONDS = 30  # then kubelet kills it


def test_an_operator_killed_in_the_middle_of_a_scale_up_goes_on(lab: Lab) -> None:
    lab.join()
    lab.pool(replicas=12)
    until(lambda: len(lab.api.list("secrets", labels="cybervein.io/pool=home")) > 2, "began")
    lab.process.kill()
    before = {
        each["metadata"]["name"]: each["metadata"]["uid"]
        for each in lab.api.list("secrets", labels="cybervein.io/pool=home")
    }
    lab.start()
    lab.ready("home", 12)
    after = {
        each["metadata"]["name"]: each["metadata"]["uid"]
        for each in lab.api.list("secrets", labels="cybervein.io/pool=home")
    }
    assert len(after) == 12
    assert before.items() <= after.items()


def test_an_api_server_that_goes_away_and_comes_back(lab: Lab, control_plane: ControlPlane) -> None:
    lab.join()
    lab.pool(replicas=2)
    lab.ready("home", 2)
    pid = lab.process.pid
    with control_plane.api_server_away():
        until(
            lambda: "watch was interrupted" in lab.process.tail(),
            "the operator noticed",
        )
        assert lab.http("/healthz")[0] == 200
    lab.kubectl("scale", "minerpool", "home", "--replicas=4")
    lab.ready("home", 4)
    assert lab.process.alive
    assert lab.process.pid == pid


def test_an_unreachable_super_node_is_said_and_miners_are_kept(lab: Lab) -> None:
    node = lab.join()
    lab.pool(replicas=1)
    lab.ready("home", 1)
    node.down = True
    found = lab.wait(
        "network",
        "net",
        lambda seen: condition(seen, "Degraded") == ("True", "SuperNodeUnreachable"),
        "is unreachable",
    )
    assert found["status"]["network"] == node.network
    assert lab.api.get("statefulset", "home-0") is not None
    node.down = False
    lab.wait("network", "net", lambda seen: condition(seen, "Ready")[0] == "True", "is Ready")


def test_an_unreachable_miner_is_unreachable_until_it_answers(lab: Lab) -> None:
    lab.join()
    lab.pool(replicas=2)
    lab.ready("home", 2)
    lab.responder.miner(lab.namespace, "home-1").down = True
    found = lab.wait(
        "minerpool",
        "home",
        lambda seen: seen["status"]["phases"].get("Unreachable") == 1,
        "has one unreachable",
    )
    assert found["status"]["attention"][0]["miner"] == "home-1"
    lab.responder.miner(lab.namespace, "home-1").down = False
    lab.ready("home", 2)


def test_a_restart_changes_no_condition_and_posts_no_event(lab: Lab) -> None:
    lab.join()
    lab.pool(replicas=2)
    lab.ready("home", 2)
    lab.responder.miner(lab.namespace, "home-1").down = True
    reason = ("True", "NoAnswer")
    lab.wait("minerpool", "home", lambda it: condition(it, "Degraded") == reason, "is Degraded")
    until(lambda: "NoAnswer" in lab.events("home"), "that is an event")
    before = Counter(lab.events("home")), Counter(lab.events("net"))
    shown = conditions(lab)
    lab.process.kill()
    lab.start()
    failed = "cybervein_operator_polls_total"
    until(lambda: lab.metric(failed, result="failed") > 2, "the miner was asked again")
    assert conditions(lab) == shown
    lab.responder.miner(lab.namespace, "home-1").down = False
    lab.ready("home", 2)
    news = Counter({"AllReady": 1, "Recovered": 1})
    until(lambda: Counter(lab.events("home")) >= before[0] + news, "what is new is told")
    assert Counter(lab.events("home")) == before[0] + news
    assert Counter(lab.events("net")) == before[1]


def conditions(lab: Lab) -> dict[str, object]:
    """Of network and pool."""
    found = {
        kind: lab.api.get(kind, name) for kind, name in (("network", "net"), ("minerpool", "home"))
    }
    return {kind: each["status"]["conditions"] for kind, each in found.items() if each}


def test_at_rest_nothing_is_written(lab: Lab, control_plane: ControlPlane) -> None:
    lab.join()
    lab.pool(replicas=3)
    lab.ready("home", 3)
    lab.wait(
        "minerdisk",
        "home-2-a",
        lambda found: (
            found.get("status", {}).get("phase") == "InUse"
            and found["status"].get("minerPhase") == "Ready"
        ),
        "settled",
    )
    polled = lab.responder.requests
    until(lambda: lab.responder.requests > polled + 20, "everything was polled again")
    mark, polled = control_plane.audit.mark(), lab.responder.requests
    until(lambda: lab.responder.requests > polled + 60, "a while passed")
    user = f"{lab.namespace}:cybervein-operator"
    writes = [
        call
        for call in control_plane.audit.calls(since=mark, user=user)
        if call.writes and "canary" not in call.name and call.resource != "leases"
    ]
    assert writes == []


def test_the_canary_is_written_and_seen(lab: Lab) -> None:
    lab.wait(
        "configmap",
        "cybervein-operator-canary",
        lambda found: int(found["data"]["beat"]) >= 2,
        "beats twice: the second only after the first was seen",
    )
    assert lab.http("/healthz") == (200, "ok")


def test_it_stops_when_told(lab: Lab) -> None:
    lab.join()
    began = time.monotonic()
    lab.process._signal(15)
    until(lambda: not lab.process.alive, "it ended on its own")
    assert time.monotonic() - began < GRACE_SECONDS
