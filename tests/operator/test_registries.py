"""Images of a private registry: the names of its secrets reach the pods of the real API server."""

from collections.abc import Callable
from typing import Any

import pytest
from operator_lab import API, Lab

pytestmark = pytest.mark.kubernetes


def secrets_of(lab: Lab, stateful_set: str) -> object:
    found = lab.wait("statefulset", stateful_set, lambda _: True, "is there")
    return found["spec"]["template"]["spec"].get("imagePullSecrets")


def found_network(lab: Lab, **spec: object) -> None:
    own: dict[str, Any] = {"preset": "test", "superNode": {"storage": {"size": "1Gi"}}}
    meta = {"name": "own"}
    lab.api.apply({"apiVersion": API, "kind": "Network", "metadata": meta, "spec": own | spec})


def test_a_spec_names_the_secrets_of_its_pods(lab: Lab) -> None:
    lab.super_node("own")
    found_network(lab, imagePullSecrets=["node-registry", "second"])
    lab.pool(networkRef={"name": "own"}, imagePullSecrets=["miner-registry"])
    assert secrets_of(lab, "own-supernode") == [{"name": "node-registry"}, {"name": "second"}]
    assert secrets_of(lab, "home-0") == [{"name": "miner-registry"}]


def test_the_operators_own_are_used_where_a_spec_names_none(make_lab: Callable[..., Lab]) -> None:
    with make_lab(options=("--image-pull-secret", "charts-registry")).running() as lab:
        lab.super_node("own")
        found_network(lab)
        lab.pool(networkRef={"name": "own"})
        for name in ("own-supernode", "home-0"):
            assert secrets_of(lab, name) == [{"name": "charts-registry"}]
