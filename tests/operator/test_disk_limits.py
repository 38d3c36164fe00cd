"""What a claim has is told to its miner as a limit, and a pod sees it change without a restart."""

import json
from typing import Any

import pytest
from cluster.api import ApiError, Object
from cybervein_operator.api import MinerPool, parse
from cybervein_operator.desired import limits
from operator_lab import Lab, condition

GIB = 1 << 30
DISKS = "/var/lib/cybervein/disks"
TWO = [
    {"name": "a", "claimTemplate": {"size": "1Gi"}},
    {"name": "b", "existingClaims": ["mine-0", "mine-1"]},
]


def pool(disks: list[dict[str, Any]], replicas: int = 2) -> MinerPool:
    spec = {"networkRef": {"name": "net"}, "replicas": replicas, "disks": disks}
    meta = {"name": "home", "namespace": "x", "uid": "u"}
    return parse(MinerPool, {"metadata": meta, "spec": spec})


def told(found: Object) -> dict[str, dict[str, int]]:
    """Sizes by file and disk."""
    return {
        file: {path.removeprefix(f"{DISKS}/"): size for path, size in json.loads(text).items()}
        for file, text in found["data"].items()
    }


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({}, {"pool.json": {"a": GIB}}),
        ({"a": {0: 5, 1: 5}}, {"pool.json": {"a": 5}}),
        ({"a": {1: 7}}, {"pool.json": {"a": 7}}),
        ({"a": {0: 5, 1: 7}}, {"pool.json": {"a": 5}, "home-1.json": {"a": 7}}),
        ({"a": {0: 7, 9: 5}}, {"pool.json": {"a": 7}, "home-9.json": {"a": 5}}),
        (
            {"a": {0: 5}, "b": {0: 3, 1: 4}},
            {"pool.json": {"a": 5, "b": 3}, "home-1.json": {"b": 4}},
        ),
    ],
)
def test_the_smallest_claim_counts_for_all_and_larger_ones_for_themselves(
    known: dict[str, dict[int, int]], expected: dict[str, dict[str, int]]
) -> None:
    assert told(limits.config_map(pool(TWO), known)) == expected


def test_ten_thousand_claims_that_all_differ_still_fit_into_a_config_map() -> None:
    known = {"a": {n: GIB + n for n in range(10_000)}}
    data = limits.config_map(pool(TWO, 10_000), known)["data"]
    assert sum(len(key) + len(text) for key, text in data.items()) < 1 << 20
    assert json.loads(data["pool.json"]) == {f"{DISKS}/a": GIB}


def test_a_pool_of_host_paths_has_none() -> None:
    assert not limits.apply_to(pool([{"name": "a", "hostPath": "/srv/a"}]))


def claim(name: str, size: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": size}},
        },
    }


@pytest.mark.kubernetes
def test_a_growth_reaches_the_miners_and_restarts_none(lab: Lab) -> None:
    lab.join()
    lab.api.apply(claim("mine-0", "2Gi"), claim("mine-1", "3Gi"))
    for name in ("mine-0", "mine-1"):
        lab.api.wait("pvc", name, lambda c: c["status"]["phase"] == "Bound", "is bound")
    lab.pool(replicas=2, disks=TWO)
    lab.ready("home", 2)

    def says(expected: dict[str, dict[str, int]]) -> None:
        lab.wait("configmap", "home-limits", lambda found: told(found) == expected, f"{expected}")

    says({"pool.json": {"a": GIB, "b": 2 * GIB}, "home-1.json": {"b": 3 * GIB}})
    before = [lab.api.get("statefulset", f"home-{n}") for n in range(2)]
    lab.pool(replicas=2, disks=[{"name": "a", "claimTemplate": {"size": "4Gi"}}, TWO[1]])
    grown = {"status": {"capacity": {"storage": "4Gi"}}}
    lab.api.patch("pvc", "home-0-a", grown, subresource="status")
    own = {"home-0.json": {"a": 4 * GIB}, "home-1.json": {"b": 3 * GIB}}
    says({"pool.json": {"a": GIB, "b": 2 * GIB}} | own)
    lab.api.patch("pvc", "home-1-a", grown, subresource="status")
    whole = {"pool.json": {"a": 4 * GIB, "b": 2 * GIB}, "home-1.json": {"b": 3 * GIB}}
    says(whole)
    lab.api.patch("configmap", "home-limits", {"data": {"pool.json": "{}", "home-0.json": "{}"}})
    lab.wait("configmap", "home-limits", lambda c: told(c)["pool.json"] == whole["pool.json"], "")
    for ordinal, then in enumerate(before):
        now = lab.api.get("statefulset", f"home-{ordinal}")
        assert now is not None
        assert then is not None
        assert now["metadata"]["generation"] == then["metadata"]["generation"]
    with pytest.raises(ApiError, match="at least 64Mi"):
        lab.pool("tiny", disks=[{"name": "a", "claimTemplate": {"size": "1Ki"}}])


@pytest.mark.kubernetes
def test_somebody_elses_config_map_of_that_name_is_left_and_told(lab: Lab) -> None:
    lab.join()
    theirs = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "home-limits"},
        "data": {"pool.json": "theirs"},
    }
    lab.api.apply(theirs)
    lab.pool(replicas=1)
    lab.wait(
        "minerpool", "home", lambda p: condition(p, "Degraded") == ("True", "Conflict"), "says so"
    )
    kept = lab.api.get("configmap", "home-limits")
    assert kept is not None
    assert kept["data"] == theirs["data"]
