"""Helm as a fixture, without a cluster and with one."""

import sys
from pathlib import Path

import pytest
from cluster.running import Cluster

sys.path.insert(0, str(Path(__file__).parent))

from chart_helm import Helm


@pytest.fixture
def helm(tmp_path: Path) -> Helm:
    """Helm without a cluster."""
    return Helm(tmp_path)


@pytest.fixture
def release(tmp_path: Path, cluster: Cluster, namespace: str) -> Helm:
    """Helm as the cluster's admin, in a fresh namespace that enforces `restricted`."""
    return Helm(tmp_path, cluster.kubectl.kubeconfig, namespace)
