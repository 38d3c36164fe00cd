"""What is taken from an object as it arrives, and what follows from it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from cybervein_operator.api.kinds import ClusterKind
from cybervein_operator.observed.extract import seen
from cybervein_operator.observed.facts import PodFacts
from cybervein_operator.observed.shapes import Item
from cybervein_operator.reconcile.volumes import binding

UNBOUND = "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims"
NO_VOLUME = "0/1 nodes are available: 1 node(s) didn't find available persistent volumes to bind"
NOT_FOUND = 'persistentvolumeclaim "home-0-a" not found'
FULL = "0/1 nodes are available: 1 Insufficient cpu"


def pod(node: str = "", **status: Any) -> PodFacts:
    spec = {"nodeName": node} if node else {}
    body = {"metadata": {"name": "home-0-0"}, "spec": spec, "status": status}
    facts = seen(ClusterKind.POD, msgspec.json.decode(json.dumps(body), type=Item)).facts
    assert isinstance(facts, PodFacts)
    return facts


def unscheduled(message: str, ago: timedelta) -> PodFacts:
    since = (datetime.now(UTC) - ago).strftime("%Y-%m-%dT%H:%M:%SZ")
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    return pod(conditions=[condition | {"message": message, "lastTransitionTime": since}])


@pytest.mark.parametrize(
    ("message", "seconds", "expected"),
    [
        (UNBOUND, 0, True),
        (NO_VOLUME, 30, True),
        (NOT_FOUND, 5, True),
        (UNBOUND, 90, False),
        (FULL, 0, False),
    ],
)
def test_volumes_are_waited_for_and_for_a_minute_only(
    message: str,
    seconds: int,
    expected: bool,  # noqa: FBT001 -- a case
) -> None:
    found = unscheduled(message, timedelta(seconds=seconds))
    assert (found.reason, found.message) == ("Unschedulable", message)
    assert binding(found) is expected


def test_what_the_scheduler_says_late_of_a_pod_that_it_has_bound_is_old_news() -> None:
    """A pod was replaced meanwhile: the words about its forerunner stay in its own conditions."""
    old = {"type": "PodScheduled", "status": "False", "reason": "SchedulerError", "message": "UID"}
    found = pod(conditions=[old, {"type": "Ready", "status": "True"}], node="n1")
    assert (found.ready, found.reason, found.unscheduled) == (True, "", None)


def test_a_pod_with_a_node_waits_for_none() -> None:
    since = "2026-01-01T00:00:00Z"
    placed = {"type": "PodScheduled", "status": "True", "lastTransitionTime": since}
    for found in (
        pod(conditions=[placed]),
        pod(),
        pod(conditions=[placed | {"status": "Unknown"}]),
    ):
        assert found.unscheduled is None
        assert not binding(found)
    assert not binding(None)
