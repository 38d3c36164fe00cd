"""Which namespaces the operator looks after."""

from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from operator_lab import Lab

pytestmark = pytest.mark.kubernetes


@pytest.fixture
def wide(make_lab: Callable[..., Lab]) -> Iterator[Lab]:
    """An operator for the whole cluster."""
    with make_lab(wide=True).running() as running:
        yield running


def test_without_a_namespace_it_looks_after_all(wide: Lab) -> None:
    other = f"test-{uuid4().hex[:8]}"
    wide.cluster.make_namespace(other)
    elsewhere = Lab(wide.cluster, other, wide.directory, wide.responder)
    elsewhere.process = wide.process
    try:
        for each in (wide, elsewhere):
            each.join()
            each.pool(replicas=1)
        for each in (wide, elsewhere):
            each.ready("home", 1)
            assert each.holder().startswith(f"{wide.namespace}/cybervein/")
    finally:
        wide.cluster.api.delete("namespace", other, wait=False)


def test_with_one_it_leaves_the_others_alone(lab: Lab, control_plane: object) -> None:
    del control_plane
    other = f"test-{uuid4().hex[:8]}"
    lab.cluster.make_namespace(other)
    elsewhere = Lab(lab.cluster, other, lab.directory, lab.responder)
    try:
        elsewhere.join()
        elsewhere.pool(replicas=1)
        lab.join()
        lab.pool(replicas=1)
        lab.ready("home", 1)
        assert elsewhere.api.list("statefulsets") == []
        found = elsewhere.api.get("minerpool", "home")
        assert found is not None
        assert "status" not in found
    finally:
        lab.cluster.api.delete("namespace", other, wait=False)
