"""Resources are parsed once: what is absent is defaulted, what is wrong is named."""

import msgspec
import pytest
from cybervein_operator.api import (
    AddressType,
    AntiAffinity,
    ConditionStatus,
    ConditionType,
    MinerDisk,
    MinerPhase,
    MinerPool,
    MinerPoolStatus,
    Network,
    PoolBytes,
    parse,
    to_plain,
)
from cybervein_operator.api.quantity import number, short
from cybervein_protocol.errors import MalformedError
from hypothesis import given, settings
from hypothesis import strategies as st

POOL = {
    "apiVersion": "cybervein.io/v1alpha1",
    "kind": "MinerPool",
    "metadata": {"name": "home", "namespace": "vein", "uid": "u", "generation": 3},
    "spec": {
        "networkRef": {"name": "net"},
        "disks": [{"name": "a", "claimTemplate": {"size": "1Ti"}}],
    },
}


def test_a_pool_that_says_little_has_the_documented_defaults() -> None:
    spec = parse(MinerPool, POOL).spec
    assert spec.replicas == 1
    assert spec.state.size == "1Gi"
    assert spec.plots.fill == 800
    assert spec.address.type is AddressType.CLUSTER_IP
    assert spec.scheduling.anti_affinity is AntiAffinity.PREFERRED
    assert spec.rollout.max_unavailable == 1
    assert spec.failure_domain is None


def test_a_field_that_is_newer_than_the_operator_is_passed_over() -> None:
    body = POOL | {"spec": {**POOL["spec"], "colour": "green"}}
    assert parse(MinerPool, body).spec == parse(MinerPool, POOL).spec


def test_a_field_of_the_wrong_type_is_named_with_its_path_and_the_resource() -> None:
    body = POOL | {"spec": {**POOL["spec"], "replicas": "three"}}
    with pytest.raises(MalformedError, match=r"MinerPool home: .*int.*str.*\$\.spec\.replicas"):
        parse(MinerPool, body)


def test_what_is_absent_is_left_out_of_a_status_and_zero_is_not() -> None:
    status = MinerPoolStatus(
        ready_replicas=0, phases={MinerPhase.READY: 2}, bytes=PoolBytes(plots=7)
    )
    assert to_plain(status) == {
        "readyReplicas": 0,
        "conditions": [],
        "phases": {"Ready": 2},
        "bytes": {"plots": 7, "shards": 0, "total": 0, "free": 0},
        "attention": [],
    }


def test_a_status_survives_the_way_there_and_back() -> None:
    condition = {
        "type": "Ready",
        "status": "Unknown",
        "reason": "Starting",
        "message": "",
        "lastTransitionTime": "2026-11-21T00:00:00Z",
        "observedGeneration": 3,
    }
    pool = parse(MinerPool, POOL | {"status": {"conditions": [condition]}})
    (read,) = pool.status.conditions
    assert (read.type, read.status) == (ConditionType.READY, ConditionStatus.UNKNOWN)
    assert to_plain(read) == condition


def test_other_kinds_are_parsed_as_well() -> None:
    net = {"metadata": {"name": "n"}, "spec": {"join": {"configMap": "theirs"}}}
    disk = {
        "metadata": {"name": "home-0-a"},
        "spec": {"pool": "home", "miner": "home-0", "disk": "a", "claim": "home-0-a"},
    }
    assert parse(Network, net).spec.join is not None
    assert parse(MinerDisk, disk).spec.drain is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (5, 5),
        ("5", 5),
        ("1Ki", 1024),
        ("1k", 1000),
        ("1.5T", 1_500_000_000_000),
        ("2Ei", 2 << 60),
        ("1e3", 1000),
        ("12E2", 1200),
        ("1E", 10**18),
        ("250m", 1),
        (".5Gi", 1 << 29),
    ],
)
def test_quantities_are_read_as_kubernetes_reads_them(text: str | int, expected: int) -> None:
    assert number(text) == expected


@pytest.mark.parametrize("text", ["", "1 Gi", "-1", "1gi", "Gi", "1Gi\n", "\uff11Gi"])
def test_what_is_no_quantity_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(MalformedError, match="expected a number as in 100Gi"):
        number(text)


@settings(deadline=None)
@given(st.integers(0, 2**60), st.sampled_from(["", "Ki", "Mi", "k", "M"]))
def test_a_quantity_with_a_unit_is_that_many_units(count: int, unit: str) -> None:
    scale = {"": 1, "Ki": 1024, "Mi": 1024**2, "k": 1000, "M": 1000**2}[unit]
    assert number(f"{count}{unit}") == count * scale


@settings(deadline=None)
@given(st.integers(0, 2**70))
def test_short_sizes_are_short_and_never_say_too_much(size: int) -> None:
    text = short(size)
    assert len(text) <= 6 or size >= 2**73
    assert number(text.removesuffix("B")) <= size


def test_short_sizes_read_like_disks() -> None:
    assert [short(each) for each in (0, 9999, 4 << 30, 4_000_787_030_016)] == [
        "0B",
        "9999B",
        "4096Mi",
        "3726Gi",
    ]


def test_models_are_frozen() -> None:
    with pytest.raises(AttributeError):
        parse(MinerPool, POOL).spec.replicas = 2  # type: ignore[misc]
    assert msgspec.structs.replace(parse(MinerPool, POOL).spec, replicas=2).replicas == 2
