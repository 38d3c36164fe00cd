"""An operator with the settings that it has in a pod, on fake nodes for a thousand miners."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from cluster.kwok import Kwok
from cluster.running import Cluster
from operator_lab import ROOT, Lab
from responder import Responder

NODES = 50
DEFAULTS = (
    *("--polls-per-second", "3", "--poll-seconds", "15", "--canary-seconds", "60"),
    *("--workers", "16"),
)


@pytest.fixture
def lab(
    cluster: Cluster, kwok: Kwok, storage_class: str, namespace: str, tmp_path: Path
) -> Iterator[Lab]:
    del storage_class
    cluster.kubectl.apply_file(ROOT / "manifests" / "crds")
    kwok.add_nodes(NODES)
    responder = Responder().start()
    made = Lab(cluster, namespace, tmp_path, responder, options=DEFAULTS)
    with made.running() as running:
        yield running
    responder.stop()
