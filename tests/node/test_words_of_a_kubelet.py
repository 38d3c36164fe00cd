"""What a real kubelet says of a pod that it cannot start is what the operator takes from it."""

from collections.abc import Iterator

import msgspec
import pytest
from cluster.api import Api
from cluster.node.running import Node
from cluster.rest import Object
from cluster.samples import container
from cybervein_operator.api.kinds import ClusterKind
from cybervein_operator.judgement.causes import Stuck, of_events
from cybervein_operator.observed.extract import seen
from cybervein_operator.observed.facts import PodFacts
from cybervein_operator.observed.shapes import EventItem, Item
from waiting import until

pytestmark = pytest.mark.node
SPACE = "words"


@pytest.fixture(scope="module")
def api(node: Node) -> Iterator[Api]:
    node.cluster.make_namespace(SPACE)
    yield node.cluster.api.within(SPACE)
    node.cluster.api.delete("namespace", SPACE, wait=False)


def pod(name: str, volumes: list[Object]) -> Object:
    mounts = [{"name": each["name"], "mountPath": f"/{each['name']}"} for each in volumes]
    main = container("localhost/nowhere:none", volumeMounts=mounts)
    # Without a token: its volume has words of its own while the namespace is young.
    spec = {"containers": [main], "volumes": volumes, "automountServiceAccountToken": False}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def facts_of(found: Object) -> PodFacts:
    item = msgspec.json.decode(msgspec.json.encode(found), type=Item)
    facts = seen(ClusterKind.POD, item).facts
    assert isinstance(facts, PodFacts)
    return facts


def test_a_missing_secret_is_in_events_alone(api: Api) -> None:
    api.apply(pod("bare", [{"name": "tls", "secret": {"secretName": "own-tls"}}]))
    found = api.wait("pod", "bare", lambda each: facts_of(each).creating, "is being created")

    fields = "involvedObject.name=bare,reason=FailedMount"
    words = 'secret "own-tls" not found'

    def told() -> list[Object]:
        return [each for each in api.list("events", fields=fields) if words in each["message"]]

    item = msgspec.convert(until(told, "the failed mount is told")[-1], EventItem)
    stuck = Stuck("Pod", "bare", found["metadata"]["uid"])
    trouble = of_events([stuck], [item])[stuck]
    assert trouble.reason == "SecretMissing"
    assert words in trouble.message


def test_an_image_that_cannot_be_pulled_is_in_its_containers_words(api: Api) -> None:
    api.apply(pod("far", []))
    found = api.wait("pod", "far", lambda each: facts_of(each).reason, "has a reason")
    facts = facts_of(found)
    assert facts.reason == "ImagePullBackOff"
    assert "localhost/nowhere:none" in facts.message
    assert not facts.creating
