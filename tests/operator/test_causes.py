"""Why a pool or a super node does not come is on it: the reason, the words, the numbers."""

from typing import Any

import msgspec
import pytest
from cluster.kwok import Kwok
from cluster.rest import Object
from cybervein_operator.api import MinerPhase
from cybervein_operator.api.kinds import ClusterKind
from cybervein_operator.judgement.causes import Stuck, of_events, refused
from cybervein_operator.judgement.miner import Facts, Trouble, judge
from cybervein_operator.observed.extract import seen
from cybervein_operator.observed.facts import NodeFacts, PodFacts
from cybervein_operator.observed.shapes import About, EventItem, Item
from operator_lab import Lab, condition

NEVER = "2026-11-30T00:00:00Z"


def message_of(found: Object, kind: str = "Degraded") -> str:
    words = found.get("status", {}).get("conditions", [])
    return next((str(each["message"]) for each in words if each["type"] == kind), "")


def says(lab: Lab, pool: str, reason: str, *words: str) -> None:
    found = lab.wait(
        "minerpool",
        pool,
        lambda each: condition(each, "Degraded") == ("True", reason),
        f"is Degraded by {reason}",
    )
    assert [each for each in words if each not in message_of(found)] == []


def pod_status(name: str, **container: Any) -> Object:
    status = {"name": name, "image": "x", "imageID": "x", "ready": False, "restartCount": 3}
    return {
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": "False"}],
        "containerStatuses": [status | container],
    }


@pytest.mark.kubernetes
def test_a_pod_that_is_refused_has_the_api_servers_words_on_the_pool(lab: Lab) -> None:
    lab.join()
    lab.pool("ranked", scheduling={"priorityClassName": "nowhere"})
    says(lab, "ranked", "PriorityClassMissing", "ranked-0: ", "no PriorityClass with name nowhere")
    lab.api.apply(
        {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "few"},
            "spec": {"hard": {"pods": "0", "persistentvolumeclaims": "4"}},
        }
    )
    lab.api.wait("resourcequota", "few", lambda each: "used" in each.get("status", {}), "counts")
    lab.pool("many")
    says(lab, "many", "QuotaExceeded", "exceeded quota: few", "limited: pods=0")
    lab.pool("more")  # its second claim is one too many: what the operator makes is told as well
    says(lab, "more", "QuotaExceeded", "limited: persistentvolumeclaims=4")
    assert "QuotaExceeded" in lab.events("many")


@pytest.mark.kubernetes
def test_a_pod_that_does_not_start_has_its_nodes_words_on_the_pool(lab: Lab, kwok: Kwok) -> None:
    lab.join()
    lab.pool(resources={"miner": {"limits": {"memory": "512Mi"}}})
    lab.ready("home", 1)
    killed = {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}
    again = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}}
    status = pod_status("miner", state=again, lastState=killed)
    lab.api.patch("pod", "home-0-0", {"status": status}, subresource="status")
    says(lab, "home", "OOMKilled", "limit of 512Mi", "3 restarts", "resources.miner")
    refusal = {"reason": "ErrImagePull", "message": 'pull "x": not found'}
    status = pod_status("miner", state={"waiting": refusal}, lastState={})
    lab.api.patch("pod", "home-0-0", {"status": status}, subresource="status")
    says(lab, "home", "ImagePullBackOff", 'pull "x": not found')
    waits = {"waiting": {"reason": "ContainerCreating"}}
    status = pod_status("miner", state=waits, lastState={}) | {"phase": "Pending"}
    lab.api.patch("pod", "home-0-0", {"status": status}, subresource="status")
    pod = lab.api.get("pod", "home-0-0")
    assert pod is not None
    words = 'MountVolume.SetUp failed for volume "network" : configmap "net-network" not found'
    lab.api.apply(event(pod, "FailedMount", words))  # as a kubelet does, which kwok is not
    says(lab, "home", "ConfigMapMissing", words)
    assert kwok.process.alive


def event(about: Object, reason: str, message: str) -> Object:
    meta = about["metadata"]
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{meta['name']}.1"},
        "involvedObject": {"kind": about["kind"], "apiVersion": "v1"}
        | {key: meta[key] for key in ("name", "namespace", "uid")},
        "type": "Warning",
        "reason": reason,
        "message": message,
        "lastTimestamp": NEVER,
    }


PODLESS = Stuck("StatefulSet", "home-0", "u1")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ('pods "a" is forbidden: exceeded quota: few, requested: pods=1', "QuotaExceeded"),
        ('pods "a" is forbidden: no PriorityClass with name x was found', "PriorityClassMissing"),
        ('pods "a" is forbidden: violates PodSecurity "restricted:latest"', "PodSecurityDenied"),
        ('admission webhook "w.example" denied the request: no', "AdmissionDenied"),
        (
            'pods "a" is forbidden: [maximum memory usage per Container is 1Gi]',
            "LimitRangeExceeded",
        ),
        ('MountVolume.SetUp failed for volume "tls" : secret "own" not found', "SecretMissing"),
        ("MountVolume.SetUp failed for volume: hostPath type check failed: /x", "HostPathMissing"),
        ("MountVolume.MountDevice failed for volume: timed out", "VolumeNotMounted"),
        ("something that nobody knows", "FailedCreate"),
    ],
)
def test_the_reason_is_one_word_and_the_message_what_kubernetes_said(
    words: str, reason: str
) -> None:
    said = EventItem(About("StatefulSet", "home-0", "u1"), words, NEVER)
    told = of_events([PODLESS], [said])[PODLESS]
    assert told.reason == reason
    assert told.message.startswith(words)
    assert not told.blocks


def test_the_newest_words_count_and_those_of_an_earlier_object_do_not() -> None:
    about = About("StatefulSet", "home-0", "u1")
    gone = EventItem(About("StatefulSet", "home-0", "u0"), "exceeded quota", "2027-01-01T00:00:00Z")
    older = EventItem(about, "no PriorityClass", "2026-01-01T00:00:00Z")
    newer = EventItem(about, "violates PodSecurity", None, "2026-01-02T00:00:00.000001Z")
    assert of_events([PODLESS], [newer, gone, older])[PODLESS].reason == "PodSecurityDenied"
    assert of_events([PODLESS], [gone]) == {}


def test_a_head_that_only_repeats_names_is_left_out() -> None:
    words = 'create Pod home-0-0 in StatefulSet home-0 failed error: pods "home-0-0" is forbidden'
    said = EventItem(About("StatefulSet", "home-0", "u1"), words, NEVER)
    assert of_events([PODLESS], [said])[PODLESS].message == 'pods "home-0-0" is forbidden'


def test_a_refusal_that_has_no_word_of_its_own_is_refused() -> None:
    assert refused("PATCH x: spec.foo: Invalid value") == Trouble(
        "Refused", "PATCH x: spec.foo: Invalid value", blocks=False
    )


READY = PodFacts(ready=True, running=True, node="n", revision="r", reason="", message="")
CAUSE = Trouble("QuotaExceeded", "exceeded quota: few", blocks=False)


def facts(**known: Any) -> Facts:
    return Facts("home-0", 0, "", exists=True, **known)


def test_the_cause_outweighs_an_upgrade_that_is_on_its_way() -> None:
    waits = facts(granted=True, settled=False, template="t", wish="t", cause=CAUSE)
    assert judge(waits).reason == "QuotaExceeded"
    assert judge(facts(granted=True, settled=False, template="t", wish="t")).reason == "Rollout"


def test_a_miner_whose_node_is_away_says_so() -> None:
    starting = PodFacts(ready=False, running=True, node="n", revision="r", reason="", message="")
    verdict = judge(facts(pod=starting, away="node n: Kubelet stopped posting node status."))
    assert (verdict.phase, verdict.reason) == (MinerPhase.UNREACHABLE, "NodeNotReady")
    assert judge(facts(pod=READY, away="node n: silent")).phase is MinerPhase.READY


def node_facts(spec: Object, *conditions: Object) -> NodeFacts:
    raw = {"metadata": {"name": "n"}, "spec": spec, "status": {"conditions": list(conditions)}}
    item = msgspec.json.decode(msgspec.json.encode(raw), type=Item)
    found = seen(ClusterKind.NODE, item).facts
    assert isinstance(found, NodeFacts)
    return found


def test_what_is_kept_of_a_node() -> None:
    silent = {"type": "Ready", "status": "Unknown", "message": "Kubelet stopped posting"}
    well = {"type": "Ready", "status": "True"}
    assert node_facts({}, well) == NodeFacts("")
    assert node_facts({"unschedulable": True}, well) == NodeFacts("", cordoned=True)
    assert node_facts({}, silent) == NodeFacts("", trouble="Kubelet stopped posting")
