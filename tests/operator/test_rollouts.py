"""Upgrades: one after the other, after its proof, and never more than the pool allows."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from cluster.kubectl import Object
from cluster.waiting import until
from operator_lab import Lab, condition

pytestmark = pytest.mark.kubernetes


def image_of(lab: Lab, miner: str) -> str:
    found = lab.kubectl.get("statefulset", miner)
    assert found is not None
    return str(found["spec"]["template"]["spec"]["containers"][0]["image"])


def images(lab: Lab, count: int) -> list[str]:
    return [image_of(lab, f"home-{each}") for each in range(count)]


def is_ready(pod: Object) -> bool:
    conditions = pod.get("status", {}).get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


@dataclass
class Observer:
    """Looks at the pods again and again."""

    most_down: int = 0
    over: threading.Event = field(default_factory=threading.Event)


@contextmanager
def watching(lab: Lab, count: int) -> Iterator[Observer]:
    seen = Observer()

    def look() -> None:
        while not seen.over.wait(0.05):
            pods = lab.kubectl.list("pods", "-l", "cybervein.io/pool=home")
            up = sum(
                is_ready(each) and "deletionTimestamp" not in each["metadata"] for each in pods
            )
            seen.most_down = max(seen.most_down, count - up)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        seen.over.set()
        thread.join(30)


def test_a_miner_is_replaced_only_after_its_proof_of_the_running_epoch(lab: Lab) -> None:
    node = lab.join()
    lab.pool(replicas=2)
    lab.ready("home", 2)
    miners = [lab.responder.miner(lab.namespace, f"home-{each}") for each in range(2)]
    for each in miners:
        each.epoch, each.proved = 6, 5
    node.epoch = 6
    lab.wait("network", "net", lambda found: found["status"]["epoch"] == 6, "is in epoch 6")
    until(lambda: lab.responder.requests > 0, "polled")
    lab.pool(replicas=2, image="cybervein:next")
    found = lab.wait(
        "minerpool",
        "home",
        lambda pool: condition(pool, "Progressing")[1] == "WaitingForProofs",
        "waits for proofs",
    )
    assert found["status"]["updatedReplicas"] == 0
    assert images(lab, 2) == ["cybervein:test", "cybervein:test"]
    miners[1].proved = 6
    until(lambda: images(lab, 2) == ["cybervein:test", "cybervein:next"], "the one that proved")
    miners[0].proved = 6
    # The second waits until the first is Ready and has proved again, or an epoch passed.
    node.epoch = 7
    for each in miners:
        each.epoch, each.proved = 7, 7
    until(lambda: images(lab, 2) == ["cybervein:next", "cybervein:next"], "then the other")
    lab.wait(
        "minerpool",
        "home",
        lambda pool: (
            pool["status"]["updatedReplicas"] == 2 and condition(pool, "Progressing")[0] == "False"
        ),
        "is settled",
    )


def test_never_more_than_max_unavailable_are_down(lab: Lab) -> None:
    node = lab.join()
    lab.pool(replicas=4, rollout={"maxUnavailable": 1})
    lab.ready("home", 4)
    for each in range(4):
        lab.responder.miner(lab.namespace, f"home-{each}").proved = None
    with watching(lab, 4) as seen:
        lab.pool(replicas=4, rollout={"maxUnavailable": 1}, image="cybervein:next")
        until(
            lambda: set(images(lab, 4)) == {"cybervein:next"},
            "all are new",
            timeout_seconds=90,
            diagnose=lab.process.tail,
        )
        lab.ready("home", 4)
    assert node.epoch == 5
    assert seen.most_down == 1


def test_a_pod_that_never_gets_ready_is_replaced_by_the_fixed_spec_at_once(lab: Lab) -> None:
    lab.join()
    lab.pool(replicas=1, scheduling={"nodeSelector": {"no": "such-node"}})
    lab.wait(
        "minerpool",
        "home",
        lambda pool: condition(pool, "Degraded") == ("True", "Unschedulable"),
        "says Unschedulable",
    )
    lab.pool(replicas=1)
    lab.ready("home", 1)
