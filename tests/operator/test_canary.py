"""The canary and the store: dead watches are noticed, old news never beats new."""

from cluster.rest import Object
from cybervein_operator.api.kinds import ClusterKind
from cybervein_operator.canary import Canary
from cybervein_operator.cluster.errors import ApiAwayError
from cybervein_operator.observed.extract import Item, seen
from cybervein_operator.observed.facts import Seen
from cybervein_operator.observed.store import FactStore
from hypothesis import given
from hypothesis import strategies as st
from msgspec import json


class Api:
    """Takes what is applied, or is away."""

    def __init__(self) -> None:
        self.applied: list[Object] = []
        self.away = False

    async def apply(self, manifest: Object) -> bytes:
        if self.away:
            raise ApiAwayError("away")
        self.applied.append(manifest)
        return b""


async def test_a_beat_that_is_never_seen_is_trouble_after_three_periods() -> None:
    now, api = [0.0], Api()
    canary = Canary("x", 60, clock=lambda: now[0])
    await canary.beat(api)  # type: ignore[arg-type]
    assert canary.trouble() == ""
    now[0] = 179
    assert canary.trouble() == ""
    now[0] = 181
    assert "never seen" in canary.trouble()
    await canary.beat(api)  # type: ignore[arg-type]
    assert len(api.applied) == 1
    canary.seen(api.applied[0]["data"])
    assert canary.trouble() == ""
    await canary.beat(api)  # type: ignore[arg-type]
    assert [each["data"]["beat"] for each in api.applied] == ["1", "2"]


async def test_an_api_server_that_is_away_is_no_reason_to_restart() -> None:
    now, api = [0.0], Api()
    api.away = True
    canary = Canary("x", 60, clock=lambda: now[0])
    await canary.beat(api)  # type: ignore[arg-type]
    now[0] = 10_000
    assert canary.trouble() == ""


def service(version: int, **spec: object) -> Seen:
    raw = {
        "metadata": {
            "name": "home-0",
            "namespace": "x",
            "uid": "u",
            "resourceVersion": str(version),
            "labels": {"cybervein.io/pool": "home", "cybervein.io/miner": "home-0"},
            "annotations": {"foreign": str(version)},
        },
        "spec": spec,
    }
    return seen(ClusterKind.SERVICE, json.decode(json.encode(raw), type=Item))


def test_foreign_annotations_are_no_drift_and_our_fields_are() -> None:
    assert service(1, type="A").fingerprint == service(2, type="A").fingerprint
    assert service(1, type="A").fingerprint != service(2, type="B").fingerprint


@given(st.lists(st.integers(1, 30), min_size=1, max_size=30))
def test_an_answer_that_outruns_the_watch_is_kept(versions: list[int]) -> None:
    store, told = FactStore(), []
    store.listener = lambda *change: told.append(change)
    for version in versions:
        store.put(ClusterKind.SERVICE, ("x", "home-0"), service(version, type=str(version)))
    kept = store.get(ClusterKind.SERVICE, "x", "home-0")
    assert kept is not None
    assert kept.version == str(max(versions))
    assert [name for name, _ in store.of_pool(ClusterKind.SERVICE, "x", "home")] == ["home-0"]
    store.replace(ClusterKind.SERVICE, "", {})
    assert store.get(ClusterKind.SERVICE, "x", "home-0") is None
    assert list(store.of_pool(ClusterKind.SERVICE, "x", "home")) == []
