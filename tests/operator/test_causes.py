"""Why a pool or a super node does not come is on it: the reason, the words, the numbers."""

from dataclasses import dataclass, field
from typing import Any, cast

import msgspec
import pytest
from cluster.kwok import Kwok
from cluster.rest import Object
from cybervein_operator.api import MinerPhase
from cybervein_operator.api.kinds import ClusterKind
from cybervein_operator.cluster.errors import ApiError
from cybervein_operator.judgement.causes import Stuck, of_events, refused
from cybervein_operator.judgement.miner import Facts, Trouble, judge
from cybervein_operator.judgement.network import NetworkSeen, answers
from cybervein_operator.observed.extract import seen
from cybervein_operator.observed.facts import NodeFacts, PodFacts
from cybervein_operator.observed.shapes import About, EventItem, Item
from cybervein_operator.observed.store import FactStore
from cybervein_operator.reconcile.causes import Causes
from cybervein_operator.world import pool_key
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
    lab.pool("more")  # one claim too many: what the operator makes is told as well
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


@pytest.mark.kubernetes
def test_a_volume_that_cannot_be_made_has_the_provisioners_words_on_the_pool(lab: Lab) -> None:
    own = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass"}
    name = f"none-{lab.namespace}"
    lab.api.apply(own | {"metadata": {"name": name}, "provisioner": "nobody.example"})
    lab.join()
    lab.pool(disks=[{"name": "a", "claimTemplate": {"size": "1Gi", "storageClassName": name}}])
    claim = lab.wait("pvc", "home-0-a", bool, "is there")
    words = 'failed to provision volume with StorageClass "none": no capacity'
    lab.api.apply(event(claim, "ProvisioningFailed", words))  # as a provisioner does
    says(lab, "home", "VolumeNotProvisioned", words, "PersistentVolumeClaims")


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


@dataclass
class Listed:
    """An API server that is asked for events, and how often it was."""

    events: list[Object]
    asked: list[str] = field(default_factory=list)
    forbids: bool = False

    async def select(self, _kind: object, _space: str, fields: str, _most: int) -> bytes:
        self.asked.append(fields)
        if self.forbids:
            raise ApiError("events is forbidden", 403, "Forbidden")
        return msgspec.json.encode({"items": self.events})


KEY = pool_key("farm", "home")
WAITS = Stuck("Service", "home-0", "u2")


def said_of(stuck: Stuck, message: str) -> Object:
    about = {"kind": stuck.kind, "name": stuck.name, "uid": stuck.uid}
    return {"involvedObject": about, "message": message, "lastTimestamp": NEVER}


async def test_nothing_is_asked_at_rest_and_once_a_while_of_what_does_not_come() -> None:
    now = [100.0]
    listed = Listed([said_of(PODLESS, "exceeded quota: few")])
    causes = Causes(cast("Any", listed), FactStore(), clock=lambda: now[0])
    assert await causes.look(KEY, []) == {}
    others = [Stuck("StatefulSet", f"home-{each}", f"v{each}") for each in range(1, 500)]
    assert await causes.look(KEY, [PODLESS, *others]) == {}
    assert listed.asked == []  # it may come in a moment
    now[0] += 5
    told = await causes.look(KEY, [PODLESS, *others])
    assert told[PODLESS].reason == "QuotaExceeded"
    now[0] += 29
    assert await causes.look(KEY, [PODLESS, *others]) == told
    assert len(listed.asked) == 1  # for five hundred miners
    now[0] += 1
    await causes.look(KEY, [PODLESS])
    assert "involvedObject.name=home-0" in listed.asked[-1]
    assert await causes.look(KEY, []) == {}
    assert await causes.look(KEY, [PODLESS]) == {}  # forgotten with what came


async def test_without_leave_to_read_events_nothing_else_stops() -> None:
    now = [0.0]
    listed = Listed([], forbids=True)
    causes = Causes(cast("Any", listed), FactStore(), clock=lambda: now[0])
    await causes.look(KEY, [PODLESS])
    now[0] += 5
    assert await causes.look(KEY, [PODLESS]) == {}
    assert len(listed.asked) == 1


async def test_a_service_without_address_is_told_after_a_minute_though_nobody_says_why() -> None:
    now = [0.0]
    listed = Listed([])
    causes = Causes(cast("Any", listed), FactStore(), clock=lambda: now[0])
    await causes.look(KEY, [WAITS])
    now[0] += 59
    assert await causes.look(KEY, [WAITS]) == {}
    now[0] += 30
    assert (await causes.look(KEY, [WAITS]))[WAITS].reason == "NoLoadBalancer"
    listed.events = [said_of(WAITS, "Failed to allocate IP: no available IPs")]
    now[0] += 30
    assert "no available IPs" in (await causes.look(KEY, [WAITS]))[WAITS].message


def pod_facts(*conditions: Object) -> PodFacts:
    status = pod_status("miner", state={"waiting": {"reason": "ContainerCreating"}})
    status |= {"phase": "Pending", "conditions": list(conditions)}
    raw = {"metadata": {"name": "p"}, "spec": {"nodeName": "n"}, "status": status}
    item = msgspec.json.decode(msgspec.json.encode(raw), type=Item)
    found = seen(ClusterKind.POD, item).facts
    assert isinstance(found, PodFacts)
    return found


def test_a_pod_whose_volumes_are_there_is_kept_by_nothing_that_events_tell() -> None:
    assert pod_facts().creating
    assert not pod_facts({"type": "PodReadyToStartContainers", "status": "True"}).creating


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


def network(**known: Any) -> NetworkSeen:
    default: dict[str, Any] = {
        "founds": True, "pod": READY, "exists": True, "pinned": True, "trouble": None,
        "error": "", "epoch": 5, "epoch_seconds": 60,
    }  # fmt: skip
    return NetworkSeen(**(default | known))


KILLED = msgspec.structs.replace(READY, ready=False, reason="OOMKilled", message="at 1Gi")
WAITING = msgspec.structs.replace(KILLED, reason="Unschedulable", message="unbound volumes")


def words(seen: NetworkSeen) -> tuple[bool | None, bool | None, str]:
    """Ready, Degraded, and why."""
    said = answers(seen)
    return said.ready.so, said.degraded.so, said.degraded.reason


def test_a_super_node_that_does_not_answer_has_the_cause_and_not_the_symptom() -> None:
    assert words(network(error="no route")) == (False, True, "SuperNodeUnreachable")
    assert words(network(error="no route", pod=KILLED)) == (False, True, "OOMKilled")
    assert words(network(error="no route", pod=None, cause=CAUSE))[2] == "QuotaExceeded"


def test_a_super_node_whose_volume_is_on_its_way_is_no_trouble_yet() -> None:
    assert words(network(pinned=False, pod=WAITING, binding=True))[1] is False
    assert words(network(pinned=False, pod=WAITING)) == (False, True, "Unschedulable")
    assert words(network(pinned=False, pod=WAITING, binding=True, cause=CAUSE))[1] is True


def test_a_refusal_beside_a_super_node_that_answers_is_degraded_and_ready() -> None:
    assert words(network(trouble=CAUSE)) == (True, True, "QuotaExceeded")
    assert words(network(trouble=CAUSE, error="no route"))[0] is False
