"""An operator for each test alone, on one real API server with fake nodes."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from cluster.kwok import Kwok
from cluster.rest import Object
from cluster.running import Cluster
from operator_lab import ROOT, Lab
from responder import Responder


@pytest.fixture(scope="session")
def responder() -> Iterator[Responder]:
    running = Responder().start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def custom_kinds(cluster: Cluster) -> None:
    cluster.kubectl.apply_file(ROOT / "manifests" / "crds")
    for each in ("networks", "minerpools", "minerdisks"):
        cluster.api.wait("crd", f"{each}.cybervein.io", _established, "is Established")


def _established(crd: Object) -> bool:
    conditions = crd.get("status", {}).get("conditions") or []
    return any(each["type"] == "Established" and each["status"] == "True" for each in conditions)


@pytest.fixture(scope="module")
def nodes(kwok: Kwok) -> list[str]:
    return kwok.add_nodes(4)


@pytest.fixture
def make_lab(  # noqa: PLR0913, PLR0917 -- what an operator needs around it
    cluster: Cluster,
    custom_kinds: None,
    storage_class: str,
    nodes: list[str],
    namespace: str,
    tmp_path: Path,
    responder: Responder,
) -> Callable[..., Lab]:
    """Everything around an operator that does not run yet."""
    del custom_kinds, storage_class, nodes
    return partial(Lab, cluster, namespace, tmp_path, responder)


@pytest.fixture
def lab(make_lab: Callable[..., Lab]) -> Iterator[Lab]:
    """An operator that runs."""
    with make_lab().running() as running:
        yield running
