"""The fixtures of `cluster`, for every test that asks for them by name."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from waiting import DEADLINE_SECONDS

from cluster.api import Api
from cluster.control_plane import ControlPlane, Settings, prepare
from cluster.credentials import ADMIN
from cluster.kubectl import Kubectl, proxied
from cluster.kwok import Kwok
from cluster.node.running import Node, node_cluster
from cluster.provisioner import Provisioner
from cluster.running import Cluster

OWN_CLUSTER = "CYBERVEIN_TEST_KUBECONFIG"
STAGES = {"node": "node", "cluster": "kubernetes"}  # fixture to mark
ON_A_CLUSTER = {*STAGES.values(), "scale"}
# A wait that never comes true says so itself, before this ends the whole run without a word.
TEST_SECONDS = 3 * DEADLINE_SECONDS
NEED_OUR_CLUSTER = frozenset({"control_plane", "kwok"})


@pytest.hookimpl(tryfirst=True)  # before pytest selects by mark
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """See that no test starts a cluster in a stage for small ones, and that none is cut short."""
    for item in items:
        given = getattr(getattr(item, "callspec", None), "params", {})  # no fixtures of ours
        fixtures = set(getattr(item, "fixturenames", ())) - set(given)
        for fixture, mark in STAGES.items():
            if fixture in fixtures and not _marks(item) & ON_A_CLUSTER:
                item.add_marker(mark)
        if _marks(item) & ON_A_CLUSTER:
            item.add_marker(pytest.mark.timeout(TEST_SECONDS))
    if os.environ.get(OWN_CLUSTER):
        _leave_out_what_needs_our_cluster(config, items)


def _marks(item: pytest.Item) -> set[str]:
    return {each.name for each in item.iter_markers()}


def _leave_out_what_needs_our_cluster(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In somebody's own cluster, leave out the tests that would kill its API server."""
    out = [item for item in items if NEED_OUR_CLUSTER & set(getattr(item, "fixturenames", ()))]
    items[:] = [item for item in items if item not in out]
    config.hook.pytest_deselected(items=out)


@contextmanager
def own_folder() -> Iterator[Path]:
    """A folder for a cluster's files and logs; kept if `CYBERVEIN_TEST_KEEP` says where."""
    kept = os.environ.get("CYBERVEIN_TEST_KEEP")
    if kept:
        yield Path(tempfile.mkdtemp(prefix="cybervein-", dir=kept))
        return
    with tempfile.TemporaryDirectory(prefix="cybervein-") as path:
        yield Path(path)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A control plane without nodes, or the cluster of `CYBERVEIN_TEST_KUBECONFIG`."""
    own = os.environ.get(OWN_CLUSTER)
    with own_folder() as folder:
        if own:
            kubectl = Kubectl(Path(own))
            with proxied(kubectl) as endpoint:
                yield Cluster(Api.at(endpoint), kubectl, folder, None)
            return
        plane = prepare(folder, Settings())
        try:
            plane.start()
            admin = Api.at(plane.endpoint(ADMIN)), Kubectl(plane.kubeconfig(ADMIN))
            yield Cluster(*admin, folder, plane)
        finally:
            plane.stop()


@pytest.fixture(scope="session")
def node() -> Iterator[Node]:
    """A cluster of its own with one real node."""
    with own_folder() as folder, node_cluster(folder) as running:
        yield running


@pytest.fixture(scope="session")
def control_plane(cluster: Cluster) -> ControlPlane:
    """The parts of our own `cluster`, to kill, pause and restart."""
    assert cluster.control_plane is not None
    return cluster.control_plane


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[str]:
    """A fresh namespace that enforces Pod Security `restricted`."""
    name = f"test-{uuid4().hex[:8]}"
    cluster.make_namespace(name)
    yield name
    cluster.api.delete("namespace", name, wait=False)


@pytest.fixture(scope="session")
def storage_class(cluster: Cluster) -> Iterator[str]:
    """The name of a StorageClass whose claims get bound: ours, or the default of one's own."""
    if cluster.control_plane is None:
        yield _default_class(cluster)
        return
    provisioner = Provisioner(cluster.control_plane, cluster.directory / "volumes")
    provisioner.start()
    yield provisioner.storage_class
    provisioner.stop()


def _default_class(cluster: Cluster) -> str:
    mark = "storageclass.kubernetes.io/is-default-class"
    for each in cluster.api.list("storageclasses"):
        if each["metadata"].get("annotations", {}).get(mark) == "true":
            return str(each["metadata"]["name"])
    raise AssertionError(f"the cluster of {OWN_CLUSTER} has no default StorageClass; set one")


@pytest.fixture(scope="module")
def kwok(control_plane: ControlPlane) -> Iterator[Kwok]:
    """kwok over `cluster`, without nodes yet; its nodes go when the module ends."""
    running = Kwok(control_plane)
    running.start()
    try:
        yield running
    finally:
        running.stop()
