"""Upgrades: one after the other, after its proof, and never more than the pool allows."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import IO

import pytest
from cluster.rest import Object
from operator_lab import Lab, condition
from waiting import until

pytestmark = pytest.mark.kubernetes


def image_of(lab: Lab, miner: str) -> str:
    found = lab.api.get("statefulset", miner)
    assert found is not None
    return str(found["spec"]["template"]["spec"]["containers"][0]["image"])


def images(lab: Lab, count: int) -> list[str]:
    return [image_of(lab, f"home-{each}") for each in range(count)]


def is_ready(pod: Object) -> bool:
    conditions = pod.get("status", {}).get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


@dataclass
class Observer:
    """Follows every change of the pods, so that none is too short to be seen."""

    up: dict[str, bool] = field(default_factory=dict)
    most_down: int = 0

    def see(self, event: Object, count: int) -> None:
        pod = event["object"]
        gone = event["type"] == "DELETED" or "deletionTimestamp" in pod["metadata"]
        self.up[pod["metadata"]["name"]] = is_ready(pod) and not gone
        if len(self.up) == count:
            self.most_down = max(self.most_down, count - sum(self.up.values()))


def documents(stream: IO[str]) -> Iterator[Object]:
    """JSON documents, one after the other, as they come."""
    text, decoder = "", json.JSONDecoder()
    for line in stream:
        text += line
        with suppress(json.JSONDecodeError):
            found, end = decoder.raw_decode(text)
            text = text[end:].lstrip()
            yield found


@contextmanager
def watching(lab: Lab, count: int) -> Iterator[Observer]:
    seen = Observer()
    selector = ("-l", "cybervein.io/pool=home")
    follow = ("get", "pods", *selector, "--watch", "--output-watch-events", "-o", "json")
    with lab.kubectl.start(*follow) as process:

        def look() -> None:
            assert process.stdout is not None
            for event in documents(process.stdout):
                seen.see(event, count)

        thread = threading.Thread(target=look, daemon=True)
        thread.start()
        until(lambda: len(seen.up) == count, "all pods are seen")
        yield seen
        process.terminate()
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
